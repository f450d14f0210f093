import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { CALLS, NO_ID, PERSON } from './calls.js';
import { writesNothing } from './ledger-rows.js';
import { assertProblem } from './problem.js';

describe('roles', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [] });
  before(() => fleet().person(PERSON));

  for (const { method, path, body, also } of CALLS) {
    const who = ['administrators', ...also.map((one) => (one === 'self' ? 'that person' : 'services'))];
    test(`${method} ${path} is for ${who.join(' and ')}`, async () => {
      await writesNothing(fleet(), async () => {
        assertProblem(await fleet().call(method, path, body, { as: null }), 401);
        assertProblem(await fleet().call(method, path, body, { as: 'user', sub: 'other' }), 403);
        const unheardOf = { authorization: `Bearer ${await fleet().token('superuser', 'other')}` };
        assertProblem(await fleet().call(method, path, body, { as: null, headers: unheardOf }), 403);
        for (const sub of ['other', PERSON]) {
          const viewer = { authorization: `Bearer ${await fleet().token('Viewer', sub)}` };
          assertProblem(await fleet().call(method, path, body, { as: null, headers: viewer }), 403);
        }
        if (!also.includes('self'))
          assertProblem(await fleet().call(method, path, body, { as: 'user', sub: PERSON }), 403);
        if (!also.includes('internal'))
          assertProblem(await fleet().call(method, path, body, { as: 'internal', sub: 'service' }), 403);
      });
      const allowed = [
        'Admin',
        'ADMIN',
        'aDMIn',
        ...(also.includes('internal') ? ['Internal', 'INTERNAL'] : []),
      ];
      for (const role of allowed) {
        const headers = { authorization: `Bearer ${await fleet().token(role, 'service')}` };
        const { status, text } = await fleet().call(method, path, body, { as: null, headers });
        assert.ok([200, 201, 202, 204, 207, 404].includes(status), `${role}: ${status} ${text}`);
      }
      if (also.includes('self')) {
        const self = await fleet().call(method, path, body, { as: 'user', sub: PERSON });
        assert.equal(self.status, path.includes(NO_ID) ? 404 : 200, self.text);
      }
    });
  }

  test('who may not call learns nothing of what is there', async () => {
    const bodies: unknown[] = ['{', { user_id: 7 }, 'x'.repeat(300_000)];
    for (const body of bodies) {
      assertProblem(await fleet().call('POST', '/notifications/send', body, { as: 'user' }), 403);
      assertProblem(await fleet().call('POST', '/notifications/send', body, { as: null }), 401);
    }
    assertProblem(await fleet().call('GET', '/no/such/path', undefined, { as: null }), 401);
    assertProblem(await fleet().call('GET', '/users/nobody', undefined, { as: 'user' }), 403);
    assertProblem(await fleet().call('GET', '/notifications/x', undefined, { as: 'user' }), 403);
  });

  test('a path or a method that is not there is not found, for those who may call', async () => {
    for (const [method, path] of [
      ['GET', '/no/such/path'],
      ['PATCH', '/notifications/send'],
      ['PUT', '/notifications'],
      ['DELETE', '/notifications'],
      ['POST', '/users/x'],
    ] as const)
      assertProblem(await fleet().call(method, path), 404, { code: 'not_found' });
    assertProblem(await fleet().page('/nothing', { as: null }), 404);
  });
});
