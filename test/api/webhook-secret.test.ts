import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { webhookSecretOf } from '@belfry/shared/domain/webhook-secret.js';
import { useFleet } from '../support/fleet.js';
import { assertProblem } from './problem.js';

const NEW = `whsec_${Buffer.alloc(32, 'n').toString('base64')}`;
const OLD = `whsec_${Buffer.alloc(32, 'o').toString('base64')}`;

describe('the secret of a receiver', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [], env: { WEBHOOK_SECRETS: `${NEW} ${OLD}` } });
  const get = (id: string, as: 'admin' | 'internal' | 'user' = 'admin', sub = 'operator') =>
    fleet().call('GET', `/users/${id}/webhook-secret`, undefined, { as, sub });
  const trail = async () =>
    (await fleet().database.query("SELECT * FROM audit_event WHERE action = 'webhook_secret.read'")).rows;

  test('is given to administrators, the one before it too while they are rotated, and kept by no cache', async () => {
    await fleet().person('abebe');
    const answer = await get('abebe');
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(answer.body, {
      secret: webhookSecretOf(NEW, 'abebe'),
      previous_secret: webhookSecretOf(OLD, 'abebe'),
    });
    assert.equal(answer.headers.get('cache-control'), 'no-store');
  });

  test('is nobody else’s to see, and nobody’s who is not there', async () => {
    const before = await trail();
    for (const [as, sub] of [
      ['internal', 'app'],
      ['user', 'abebe'],
    ] as const)
      assertProblem(await get('abebe', as, sub), 403);
    assertProblem(await get('nobody'), 404);
    assert.deepEqual(await trail(), before);
  });

  test('leaves in the audit trail who had it, and neither the secret nor the person', async () => {
    await fleet().person('chaltu');
    await get('chaltu', 'admin', 'olana');
    const rows = (await trail()).filter(({ actor }) => actor === 'olana');
    const { rows: people } = await fleet().database.query("SELECT audit_id FROM person WHERE id = 'chaltu'");
    assert.deepEqual(
      rows.map(({ action, target, role }) => ({ action, target, role })),
      [{ action: 'webhook_secret.read', target: `person:${people[0].audit_id}`, role: 'admin' }],
    );
    assert.ok(!JSON.stringify(rows).includes('chaltu'));
    assert.ok(!JSON.stringify([rows, fleet().logs()]).includes(webhookSecretOf(NEW, 'chaltu')));
  });
});

describe('the secret of a receiver without WEBHOOK_SECRETS', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [], env: { WEBHOOK_SECRETS: '' } });

  test('is not there, and the answer says why', async () => {
    await fleet().person('abebe');
    const answer = await fleet().call('GET', '/users/abebe/webhook-secret');
    assertProblem(answer, 404);
    assert.match(answer.text, /WEBHOOK_SECRETS/);
  });
});
