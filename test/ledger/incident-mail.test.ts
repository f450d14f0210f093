import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { moveAlertRow } from '@belfry/shared/ledger/alerts.js';
import { putPerson } from '@belfry/shared/ledger/people.js';
import { mailIncidents } from '@belfry/shared/selfwatch/incident-mail.js';
import { startSelfWatch } from '@belfry/shared/selfwatch/self-watch.js';
import { waitFor } from '../support/wait.js';
import { escalatingOn, OPERATOR } from './escalating.js';
import { OPS, withLedger } from './with-ledger.js';

describe('what is wrong with the fleet itself', () => {
  const ledger = withLedger();
  const { raise, partsOf, seeds } = escalatingOn();
  const operator = { to: OPERATOR, everyMs: 3_600_000 };
  before(() => putPerson(ledger.one, 'admin', { email: 'admin@example.org', roles: ['admin'] }, OPS));

  const mails = async () =>
    (
      await ledger.one.rows<{ type: string; address: string; message: string }>(
        `SELECT n.type, d.address, n.message FROM notification n JOIN delivery d ON d.notification_id = n.id
         WHERE n.person_id IS NULL ORDER BY n.id`,
      )
    ).map(({ type, address, message }) => `${type} ${address} ${message.split('\n')[0]}`);

  it('is told to the operator once for as long as it lasts, and not oftener when it comes and goes', async () => {
    const missing = { canary_missing: 'Nothing arrives.' };
    const find = (found: Parameters<typeof mailIncidents>[2]) =>
      Promise.all([ledger.one, ledger.two].map((one) => mailIncidents(partsOf(one), operator, found)));
    seeds.length = 0;
    for (const found of [{}, missing, missing, {}, missing]) await find(found);
    const once = `canary_missing ${OPERATOR} Nothing arrives.`;
    assert.deepEqual(await mails(), [once]);
    assert.equal(seeds.length, 1);
    await ledger.one.rows("UPDATE self_check SET at = now() - interval '1 hour'");
    await find(missing);
    await find(missing);
    assert.deepEqual(await mails(), [once, once]);
    await ledger.one.rows("UPDATE self_check SET at = now() - interval '1 hour'");
    await find(missing);
    assert.deepEqual(await mails(), [once, once], 'it has not been well meanwhile');
    await ledger.one.rows('DELETE FROM notification WHERE person_id IS NULL');
  });

  it('is seen by whoever looks: alerts that nobody escalates', async () => {
    const { id } = await raise(ledger.one);
    await ledger.one.rows("UPDATE alert SET due_at = now() - interval '1 minute' WHERE id = $1", [id]);
    const options = { canaryMs: null, lateMs: 1_000, deadManUrl: null, operatorMail: operator };
    const watch = startSelfWatch(partsOf(ledger.one), options);
    try {
      const [mail] = await waitFor(async () => {
        const written = await mails();
        return written.length > 0 ? written : undefined;
      });
      assert.match(
        String(mail),
        /^alerts_overdue operator@example.org An open alert waits for a step .* 6\d seconds ago/,
      );
    } finally {
      await watch.stop();
    }
    await moveAlertRow(ledger.one, 'acknowledge', id, { name: 'admin', via: 'api' });
  });
});
