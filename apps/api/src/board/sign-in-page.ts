import { escaped } from '../middleware/escape-html.js';
import type { Visitor } from './session.js';

/** What the sign-in page is made for. */
export interface SignInPage {
  /** Where the board is. */
  readonly base: string;
  /** The page of the board that was asked for, and is shown after the sign-in. */
  readonly next: string;
  /** What was wrong with the last try; empty before the first. */
  readonly message: string;
  /** False when nothing is there to sign a session with. */
  readonly possible: boolean;
}

/** The page that asks who is there. It has no script, and shows nothing of the board. */
export function signInPage({ base, next, message, possible }: SignInPage): string {
  const form = `
      <form method="post" action="${escaped(base)}/sign-in">
        <label for="secret">Admin token or password</label>
        <input id="secret" name="password" type="password" autocomplete="current-password" maxlength="8192" required autofocus />
        <p id="refused" role="alert">${escaped(message)}</p>
        <input type="hidden" name="next" value="${escaped(next)}" />
        <button type="submit">Sign in</button>
        <p class="hint">A token is printed by <code>npm run token -- --role admin --sub you</code>. With the role
          <code>viewer</code> it shows the queues and changes nothing.</p>
      </form>`;
  const impossible = `
      <form>
        <p id="refused" role="alert">Nobody can sign in here: SESSION_SECRET is not set.</p>
        <p class="hint">Set it for every API process to the output of <code>openssl rand -base64 48</code>. Until then the board opens for
          requests with <code>Authorization: Bearer</code> and an Admin token.</p>
      </form>`;
  return page(base, 'Sign in', possible ? form : impossible);
}

/** The page that ends a session. */
export function signOutPage(base: string, { sub, role }: Visitor): string {
  return page(
    base,
    'Sign out',
    `
      <form method="post" action="${escaped(base)}/sign-out">
        <p>You see the queues as <strong>${escaped(sub)}</strong>${role === 'viewer' ? ', and cannot change anything' : ''}.</p>
        <button type="submit">Sign out</button>
        <p class="hint"><a href="${escaped(base)}/">Back to the queues</a></p>
      </form>`,
  );
}

function page(base: string, title: string, main: string): string {
  const files = `${escaped(base)}/sign-in`;
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <meta name="robots" content="noindex" />
    <title>${title} · Belfry queues</title>
    <link rel="stylesheet" href="${files}/palette.css" />
    <link rel="stylesheet" href="${files}/console.css" />
    <link rel="stylesheet" href="${files}/sign-in.css" />
    <link rel="icon" href="${files}/bell.svg" />
  </head>
  <body class="sign-in">
    <header>
      <img src="${files}/bell.svg" alt="" width="28" height="28" />
      <h1>Belfry queues</h1>
    </header>
    <main>${main}
    </main>
  </body>
</html>
`;
}
