/* The token of the person whose inbox this is. It is kept for this tab alone. */

const KEY = 'belfry-inbox-token';
const JWT = /^[\w-]+\.([\w-]+)\.[\w-]+$/;

/** The token that is kept, or null. */
export function keptToken() {
  return sessionStorage.getItem(KEY);
}

export function keepToken(token) {
  sessionStorage.setItem(KEY, token);
}

export function forgetToken() {
  sessionStorage.removeItem(KEY);
}

/** Whom a token is about; null for what is no token. Whether it is a good one is for the API to say. */
export function subjectOf(token) {
  const claims = JWT.exec(token)?.[1];
  if (claims === undefined) return null;
  try {
    const bytes = Uint8Array.from(atob(claims.replaceAll('-', '+').replaceAll('_', '/')), (one) =>
      one.charCodeAt(0),
    );
    const { sub } = JSON.parse(new TextDecoder().decode(bytes));
    return typeof sub === 'string' && sub !== '' ? sub : null;
  } catch {
    return null;
  }
}
