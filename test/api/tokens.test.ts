import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { SignJWT } from 'jose';
import { useFleet } from '../support/fleet.js';
import { ask } from '../support/http.js';
import { assertProblem } from './problem.js';

const ISSUER = 'https://login.example.org';
const AUDIENCE = 'belfry';
const LATER = Math.floor(Date.now() / 1000) + 3600;
const GOOD = { sub: 'ops', role: 'Admin', exp: LATER, iss: ISSUER, aud: AUDIENCE };

describe('tokens', () => {
  const fleet = useFleet({
    engine: 'postgres',
    workers: [],
    env: { JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE },
  });
  const secret = () => String(fleet().env.JWT_SECRET);

  /** A token of any shape, signed with HMAC whatever its header says. */
  function forge(header: object, payload: unknown, key = secret(), hash = 'sha256'): string {
    const signed = `${encode(header)}.${encode(payload)}`;
    return `${signed}.${createHmac(hash, key).update(signed).digest('base64url')}`;
  }
  const hs256 = (payload: unknown, header: object = {}) => forge({ alg: 'HS256', ...header }, payload);
  const without = (claim: keyof typeof GOOD) =>
    Object.fromEntries(Object.entries(GOOD).filter(([name]) => name !== claim));
  const list = (authorization: string) =>
    ask('GET', `${fleet().api.url}/api/v1/notifications`, undefined, { authorization });

  test('a good token opens the door, whatever the case of its role and scheme', async () => {
    for (const role of ['Admin', 'admin', 'ADMIN', 'aDmIn'])
      assert.equal((await list(`Bearer ${hs256({ ...GOOD, role })}`)).status, 200, role);
    for (const scheme of ['bearer', 'BEARER', 'Bearer  '])
      assert.equal((await list(`${scheme} ${hs256(GOOD)}`)).status, 200, scheme);
    assert.equal((await list(`Bearer ${hs256({ ...GOOD, aud: ['other', AUDIENCE] })}`)).status, 200);
  });

  const bad: readonly (readonly [string, () => string])[] = [
    ['with alg none and no signature', () => `${encode({ alg: 'none' })}.${encode(GOOD)}.`],
    ['with alg None in another spelling', () => `${encode({ alg: 'NoNe' })}.${encode(GOOD)}.`],
    ['with alg none and a good signature', () => forge({ alg: 'none' }, GOOD)],
    ['with no alg', () => forge({}, GOOD)],
    ['with an alg that is an array', () => forge({ alg: ['HS256'] }, GOOD)],
    ['of another HMAC', () => forge({ alg: 'HS512' }, GOOD, secret(), 'sha512')],
    ['that says HS384 and is signed with SHA-256', () => forge({ alg: 'HS384' }, GOOD)],
    ['that says RS256', () => forge({ alg: 'RS256' }, GOOD)],
    ['of another secret', () => forge({ alg: 'HS256' }, GOOD, 'another secret that is long enough')],
    ['of an empty secret', () => forge({ alg: 'HS256' }, GOOD, '')],
    [
      'with its own key in the header',
      () =>
        forge(
          {
            alg: 'HS256',
            jwk: { kty: 'oct', k: Buffer.from('own key').toString('base64url') },
          },
          GOOD,
          'own key',
        ),
    ],
    [
      'with a kid that points at an empty file',
      () => forge({ alg: 'HS256', kid: '../../../../../../dev/null' }, GOOD, ''),
    ],
    ['with a kid full of SQL', () => forge({ alg: 'HS256', kid: "' UNION SELECT 'x" }, GOOD, 'x')],
    ['with a jku', () => forge({ alg: 'HS256', jku: 'http://127.0.0.1:1/keys' }, GOOD, 'x')],
    ['with a critical header that nobody knows', () => hs256(GOOD, { crit: ['exp'], exp: 1 })],
    ['with an unencoded payload', () => hs256(GOOD, { b64: false, crit: ['b64'] })],
    ['that has expired', () => hs256({ ...GOOD, exp: LATER - 7200 })],
    ['that expired at the epoch', () => hs256({ ...GOOD, exp: 0 })],
    ['that is not valid yet', () => hs256({ ...GOOD, nbf: LATER })],
    ['without exp', () => hs256(without('exp'))],
    ['whose exp is text', () => hs256({ ...GOOD, exp: String(LATER) })],
    ['whose exp is null', () => hs256({ ...GOOD, exp: null })],
    ['whose exp is no number', () => hs256({ ...GOOD, exp: { $gt: 0 } })],
    ['whose nbf is text', () => hs256({ ...GOOD, nbf: '0' })],
    ['of another issuer', () => hs256({ ...GOOD, iss: `${ISSUER}.evil.example` })],
    ['without issuer', () => hs256(without('iss'))],
    ['for another audience', () => hs256({ ...GOOD, aud: ['other'] })],
    ['without audience', () => hs256(without('aud'))],
    ['without subject', () => hs256(without('sub'))],
    ['with an empty subject', () => hs256({ ...GOOD, sub: '' })],
    ['whose subject is a number', () => hs256({ ...GOOD, sub: 7 })],
    ['whose subject has a NUL', () => hs256({ ...GOOD, sub: 'a\u0000b' })],
    ['whose subject has half a character', () => hs256({ ...GOOD, sub: 'a\ud800b' })],
    ['whose subject has a line break', () => hs256({ ...GOOD, sub: 'a\nb' })],
    ['whose subject is endless', () => hs256({ ...GOOD, sub: 'a'.repeat(129) })],
    ['whose payload is an array', () => hs256([GOOD])],
    ['whose payload is text', () => hs256('Admin')],
    ['whose payload is no JSON', () => forgeRaw('{"alg":"HS256"}', '{"sub":', secret())],
    ['whose header is no JSON', () => forgeRaw('{"alg":"HS256"', JSON.stringify(GOOD), secret())],
    ['whose payload was changed', () => swapPayload(hs256({ ...GOOD, role: 'User' }), GOOD)],
    ['whose signature was cut', () => hs256(GOOD).slice(0, -4)],
    ['without signature', () => hs256(GOOD).replace(/[^.]*$/, '')],
    ['with four parts', () => `${hs256(GOOD)}.x`],
    ['of two dots', () => '..'],
    ['of one word', () => 'token'],
    ['of five parts', () => 'a.b.c.d.e'],
    ['that is too long', () => hs256({ ...GOOD, padding: 'x'.repeat(7_000) })],
    ['of garbage', () => '\u00ff\u00fe%00\u00e9'],
    ['in quotes', () => `"${hs256(GOOD)}"`],
  ];

  for (const [name, make] of bad) {
    test(`a token ${name} gets 401`, async () => {
      assertProblem(await list(`Bearer ${make()}`), 401);
    });
  }

  test('an Authorization header that is no Bearer token gets 401', async () => {
    const token = hs256(GOOD);
    for (const header of [
      '',
      ' ',
      'Bearer',
      'Bearer ',
      token,
      `Basic ${token}`,
      `Bearer ${token} x`,
      `Token ${token}`,
    ])
      assertProblem(await list(header), 401);
    assertProblem(await ask('GET', `${fleet().api.url}/api/v1/notifications?access_token=${token}`), 401);
    const cookie = { cookie: `token=${token}; access_token=${token}` };
    assertProblem(await ask('GET', `${fleet().api.url}/api/v1/notifications`, undefined, cookie), 401);
  });

  test('of two Authorization headers the second is not asked', async () => {
    const bad = `Bearer ${hs256({ ...GOOD, exp: 1 })}`;
    const status = await statusWith(fleet().api.url, [bad, `Bearer ${hs256(GOOD)}`]);
    assert.equal(status, 401);
  });

  test('a token says nothing of itself in the answer or in the log', async () => {
    const token = hs256({ ...GOOD, exp: 1, secret: 'canary-7391' });
    const answer = await list(`Bearer ${token}`);
    assert.doesNotMatch(answer.text, /canary|eyJ/);
    const signature = token.split('.').at(-1) ?? '';
    assert.deepEqual(
      fleet()
        .logs()
        .filter((line) => line.includes(signature) || line.includes(secret())),
      [],
    );
  });

  test('the library that tokens usually come from makes good ones too', async () => {
    const token = await new SignJWT({ role: 'Admin' })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject('ops')
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt()
      .setExpirationTime('30m')
      .sign(new TextEncoder().encode(secret()));
    assert.equal((await list(`Bearer ${token}`)).status, 200);
  });
});

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function forgeRaw(header: string, payload: string, key: string): string {
  const signed = [header, payload].map((part) => Buffer.from(part).toString('base64url')).join('.');
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

function swapPayload(token: string, payload: object): string {
  const [header, , signature] = token.split('.');
  return [header, encode(payload), signature].join('.');
}

/** The status of a call with several Authorization headers, which `fetch` would not send. */
function statusWith(url: string, authorizations: readonly string[]): Promise<number> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer within 10 s')));
    socket.once('error', reject);
    socket.once('data', (head) => {
      socket.destroy();
      resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(head.toString('latin1'))?.[1]));
    });
    const headers = authorizations.map((value) => `Authorization: ${value}\r\n`).join('');
    socket.write(`GET /api/v1/notifications HTTP/1.1\r\nHost: ${hostname}\r\n${headers}\r\n`);
  });
}
