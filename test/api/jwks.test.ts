import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { exportJWK, exportSPKI, SignJWT } from 'jose';
import { type Fleet, startFleet } from '../support/fleet.js';
import { ask } from '../support/http.js';
import { freePort } from '../support/ports.js';
import {
  type Action,
  hang,
  http,
  reset,
  answer as say,
  sayAndClose,
  wireServer,
} from '../support/wire-server.js';
import { assertProblem } from './problem.js';

const ours = generateKeyPairSync('rsa', { modulusLength: 2048 });
const theirs = generateKeyPairSync('rsa', { modulusLength: 2048 });

describe('tokens of an identity provider', () => {
  let provider: Server;
  let fleet: Fleet;
  let jwksUrl: string;
  let published: string;

  before(async () => {
    const keys = [{ ...(await exportJWK(ours.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }];
    published = JSON.stringify({ keys });
    provider = createServer((_req, res) => {
      res.setHeader('content-type', 'application/json').end(published);
    });
    const port = await freePort();
    await new Promise<void>((resolve) => provider.listen(port, '127.0.0.1', resolve));
    jwksUrl = `http://127.0.0.1:${port}/keys`;
    fleet = await startFleet({
      engine: 'postgres',
      workers: [],
      env: { ALGORITHM: 'RS256', JWKS_URL: jwksUrl },
    });
  });
  after(async () => {
    await fleet.stop();
    provider.closeAllConnections();
    await new Promise((resolve) => provider.close(resolve));
  });

  const sign = (key: typeof ours.privateKey, header: { kid?: string } = { kid: 'one' }) =>
    new SignJWT({ role: 'admin' })
      .setProtectedHeader({ alg: 'RS256', ...header })
      .setSubject('ops')
      .setExpirationTime('10m')
      .sign(key);
  const list = (token: string, url = fleet.api.url) =>
    ask('GET', `${url}/api/v1/notifications`, undefined, { authorization: `Bearer ${token}` });

  test('a token signed with the key that the provider publishes is good', async () => {
    assert.equal((await list(await sign(ours.privateKey))).status, 200);
    assert.equal((await list(await sign(ours.privateKey, {}))).status, 200, 'with one key no kid is needed');
  });

  test('a token of another key, of an unknown kid, or signed with the public key as a secret gets 401', async () => {
    assertProblem(await list(await sign(theirs.privateKey)), 401);
    assertProblem(await list(await sign(ours.privateKey, { kid: '../../etc/passwd' })), 401);
    const pem = await exportSPKI(ours.publicKey);
    for (const secret of [pem, pem.trim(), JSON.stringify(await exportJWK(ours.publicKey))]) {
      const confused = await new SignJWT({ role: 'admin' })
        .setProtectedHeader({ alg: 'HS256', kid: 'one' })
        .setSubject('ops')
        .setExpirationTime('10m')
        .sign(new TextEncoder().encode(secret));
      assertProblem(await list(confused), 401);
    }
    assertProblem(await list(await fleet.token('admin')), 401, {});
  });

  test('while the keys cannot be had, calls get 503, and a token that is bad in itself gets 401', async () => {
    const broken: Readonly<Record<string, Action>> = {
      'hangs up': reset,
      'answers 500': say(500, 'out of order'),
      redirects: say(302, '', { Location: jwksUrl }),
      'answers with no JSON': say(200, '<html>'),
      'answers with no key set': say(200, '{"keys":7}'),
      'stops half way': sayAndClose('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"keys'),
      'never answers': hang,
    };
    let action: Action = reset;
    const server = await wireServer(http(() => action));
    try {
      const api = await fleet.addApi({ JWKS_URL: `http://127.0.0.1:${server.port}/keys` });
      const good = await sign(ours.privateKey);
      for (const [name, broke] of Object.entries(broken)) {
        action = broke;
        const answer = await list(good, api.url);
        assert.equal(answer.status, 503, `a provider that ${name}: ${answer.text}`);
        assertProblem(answer, 503);
        assertProblem(await list(await fleet.token('admin'), api.url), 401);
      }
      action = say(200, published);
      assert.equal((await list(good, api.url)).status, 200, 'when the provider is back, so are the callers');
    } finally {
      await server.close();
    }
  });
});
