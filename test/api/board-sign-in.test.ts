import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createSessions } from '@belfry/api/board/session.js';
import { readSettings } from '@belfry/shared/config/read.js';
import { apiSettings } from '@belfry/shared/config/settings.js';
import { SignJWT } from 'jose';
import { type Fleet, useFleet } from '../support/fleet.js';
import { ask } from '../support/http.js';
import { BOARD, cookieOf, press, quickHash, signIn } from './board-visit.js';
import { assertProblem } from './problem.js';

const PASSWORD = 'correct horse battery staple';
const VIEWER_PASSWORD = 'only looking, thank you';
const env = {
  ADMIN_PASSWORD_HASH: await quickHash(PASSWORD),
  VIEWER_PASSWORD_HASH: await quickHash(VIEWER_PASSWORD),
};

describe('signing in to the board', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [], env });
  const board = (cookie: string, path = '/api/queues') =>
    ask('GET', fleet().api.url + BOARD + path, undefined, { cookie });

  test('a password or an Admin token leaves a cookie that opens the board', async () => {
    for (const secret of [PASSWORD, await fleet().token('aDMIN', 'ops'), VIEWER_PASSWORD]) {
      const answer = await signIn(fleet().api.url, secret);
      assert.equal(answer.status, 303, answer.text);
      assert.equal(answer.headers.get('location'), `${BOARD}/`);
      const set = answer.headers.get('set-cookie') ?? '';
      assert.match(
        set,
        /^belfry_board=[\w.-]+; Max-Age=\d+; Path=\/admin\/queues; Expires=[^;]+; HttpOnly; SameSite=Strict$/,
      );
      const { status, body } = await board(cookieOf(answer));
      assert.equal(status, 200);
      assert.equal(String(body.queues?.[0]?.readOnlyMode), String(secret === VIEWER_PASSWORD));
      const act = await press(fleet().api.url, 'sms.low/resume', { cookie: cookieOf(answer) });
      assert.equal(act.status, secret === VIEWER_PASSWORD ? 403 : 200);
    }
  });

  test('over TLS the cookie is for TLS alone', async () => {
    const host = new URL(fleet().api.url).host;
    for (const headers of [{ origin: `https://${host}` }, { 'x-forwarded-proto': 'https' }])
      assert.match(
        (await signIn(fleet().api.url, PASSWORD, headers)).headers.get('set-cookie') ?? '',
        /; HttpOnly; Secure; SameSite=Strict$/,
      );
  });

  test('a form leads to the page that was asked for, and to no other site', async () => {
    const form = (next: string) =>
      ask(
        'POST',
        `${fleet().api.url}${BOARD}/sign-in`,
        `${new URLSearchParams({ password: PASSWORD, next })}`,
        {
          origin: fleet().api.url,
          'content-type': 'application/x-www-form-urlencoded',
        },
      );
    const page = `${BOARD}/queue/email.low?status=failed`;
    assert.equal((await form(page)).headers.get('location'), page);
    const asked = await ask('GET', fleet().api.url + page);
    assert.ok(asked.text.includes(`name="next" value="${page}"`));
    for (const next of [
      'https://evil.example',
      '//evil.example',
      `${BOARD}/../../x\r\ny`,
      `${BOARD}//evil`,
      `${BOARD}/"><script>`,
    ])
      assert.equal((await form(next)).headers.get('location'), `${BOARD}/`, next);
    const injected = await ask('GET', `${fleet().api.url}${BOARD}/queue/%22%3E%3Cscript%3E?"><script>`);
    assert.doesNotMatch(injected.text, /<script/);
  });

  test('a wrong password or token is refused, and so is a good token of anybody else', async () => {
    for (const wrong of ['', 'x', `${PASSWORD} `, 'a.b.c', 'p'.repeat(5_000), '\u0000'])
      assertProblem(await signIn(fleet().api.url, wrong, { accept: 'application/json' }), 401);
    assertProblem(await signIn(fleet().api.url, 'p'.repeat(9_000), { accept: 'application/json' }), 422);
    const page = await signIn(fleet().api.url, 'x');
    assert.equal(page.status, 401);
    assert.match(page.text, /This is neither a valid token nor the password\./);
    assert.equal(cookieOf(page), '');
    await forgetAttempts(fleet());
    for (const role of ['User', 'Internal', 'somebody']) {
      const refused = await signIn(fleet().api.url, await fleet().token(role, 'visitor'));
      assert.equal(refused.status, 403);
      assert.match(refused.text, /it takes the role Admin or Viewer/);
    }
    await forgetAttempts(fleet());
  });

  test('sign-ins and refused ones are in the audit trail, without what was typed', async () => {
    await signIn(fleet().api.url, await fleet().token('admin', 'audited'));
    await signIn(fleet().api.url, await fleet().token('user', 'stranger'));
    await signIn(fleet().api.url, 'guessed-wrong');
    const { rows } = await fleet().database.query(
      `SELECT actor, role, action, details FROM audit_event ORDER BY id DESC LIMIT 3`,
    );
    assert.deepEqual(rows.reverse(), [
      { actor: 'audited', role: 'admin', action: 'board.sign_in', details: { by: 'token' } },
      { actor: 'stranger', role: 'user', action: 'board.sign_in_refused', details: { reason: 'role' } },
      { actor: 'unknown', role: 'none', action: 'board.sign_in_refused', details: { reason: 'secret' } },
    ]);
    assert.doesNotMatch(fleet().logs().join('\n'), /guessed-wrong|correct horse/);
  });

  test('a session is no API token, and an API token is no session', async () => {
    const cookie = cookieOf(await signIn(fleet().api.url, PASSWORD));
    const session = cookie.split('=')[1] ?? '';
    assertProblem(
      await fleet().call('GET', '/notifications', undefined, {
        as: null,
        headers: { authorization: `Bearer ${session}` },
      }),
      401,
    );
    assertProblem(
      await ask('GET', `${fleet().api.url}${BOARD}/x`, undefined, { authorization: `Bearer ${session}` }),
      401,
    );
    const claims = new SignJWT({ role: 'admin' })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('x')
      .setAudience('belfry:board');
    const token = await claims.setExpirationTime('1h').sign(new TextEncoder().encode(fleet().env.JWT_SECRET));
    for (const forged of [
      await fleet().token('admin'),
      token,
      `${session}x`,
      session.slice(0, -2),
      unsigned(session),
      '',
    ])
      assert.equal((await board(`belfry_board=${forged}`)).status, 401, forged);
  });

  test('a session ends with its time, with its token, and with the password it came of', async () => {
    const begin = async (
      change: Record<string, string>,
      who: { by: 'token' | 'password'; expiresAt?: number },
    ) => {
      const sessions = createSessions(readSettings(apiSettings, { ...fleet().env, ...change }));
      const { cookie } = await sessions.begin({ sub: 'ops', role: 'admin', ...who });
      return (await board(`belfry_board=${cookie}`)).status;
    };
    assert.equal(await begin({}, { by: 'password' }), 200);
    assert.equal(await begin({}, { by: 'token', expiresAt: Date.now() - 1_000 }), 401);
    assert.equal(await begin({ ADMIN_PASSWORD_HASH: await quickHash(PASSWORD) }, { by: 'password' }), 401);
    assert.equal(await begin({ JWT_SECRET: 'y'.repeat(40) }, { by: 'token' }), 401);
    const short = new SignJWT({ role: 'admin' })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('ops')
      .setExpirationTime('5m');
    const answer = await signIn(
      fleet().api.url,
      await short.sign(new TextEncoder().encode(fleet().env.JWT_SECRET)),
    );
    const maxAge = Number(/Max-Age=(\d+)/.exec(answer.headers.get('set-cookie') ?? '')?.[1]);
    assert.ok(maxAge > 0 && maxAge <= 300, `${maxAge} s`);
    const long = await signIn(fleet().api.url, PASSWORD);
    assert.match(long.headers.get('set-cookie') ?? '', /Max-Age=28800;/);
  });

  test('signing out takes the cookie back', async () => {
    const cookie = cookieOf(await signIn(fleet().api.url, PASSWORD));
    const page = await board(cookie, '/sign-out');
    assert.match(page.text, /as <strong>admin-password<\/strong>/);
    const url = `${fleet().api.url}${BOARD}/sign-out`;
    const answer = await ask('POST', url, undefined, { cookie, origin: fleet().api.url });
    assert.equal(answer.status, 303);
    assert.match(
      answer.headers.get('set-cookie') ?? '',
      /^belfry_board=; Path=\/admin\/queues; Expires=Thu, 01 Jan 1970/,
    );
    assert.equal((await ask('POST', url, undefined, { cookie })).status, 403);
  });

  test('nobody signs in from another site', async () => {
    for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }]) {
      const answer = await signIn(fleet().api.url, PASSWORD, headers);
      assert.equal(answer.status, 403);
      assert.equal(cookieOf(answer), '');
    }
  });
});

describe('with tokens of an identity provider and no SESSION_SECRET', () => {
  const fleet = useFleet({
    engine: 'postgres',
    workers: [],
    env: { ALGORITHM: 'RS256', JWKS_URL: 'http://127.0.0.1:1/keys', JWT_SECRET: undefined },
  });

  test('the page says what is missing, and nobody signs in', async () => {
    const page = await ask('GET', fleet().api.url + BOARD);
    assert.equal(page.status, 401);
    assert.match(page.text, /SESSION_SECRET is not set/);
    const answer = await signIn(fleet().api.url, PASSWORD);
    assert.equal(answer.status, 503);
    assert.equal(cookieOf(answer), '');
  });
});

/** Forgets every attempt that was counted so far, so that one test does not limit the next. */
async function forgetAttempts(fleet: Fleet): Promise<void> {
  await fleet.database.query('DELETE FROM rate_limit');
}

/** The same claims under `alg: none`. */
function unsigned(token: string): string {
  const header = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
  return `${header}.${token.split('.')[1]}.`;
}
