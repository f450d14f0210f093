import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { type Fleet, useFleet } from '../support/fleet.js';
import { waitFor } from '../support/wait.js';
import { addressesAt, email, emails, only } from './sending.js';
import { wipe } from './wipe.js';

forEachEngine((engine) => {
  const fleet = useFleet({ engine, env: { MAX_ATTEMPTS: '1', RETRY_SWEEP_MS: '3600000' } });

  /** Lets a mail to each address die. */
  async function dieAll(domain: string, count: number): Promise<string[]> {
    const addresses = addressesAt(domain, count);
    const { sandbox, untilSettled } = fleet();
    await sandbox.fault({ channel: 'email', recipient: `*@${domain}`, action: { kind: 'smtp', code: 451 } });
    await emails(fleet(), addresses);
    await untilSettled();
    await sandbox.clearFaults();
    return addresses;
  }

  const replay = async (body: unknown) => {
    const answer = await fleet().call('POST', '/dead-letters/replay', body);
    assert.equal(answer.status, 202, answer.text);
    return Number(answer.body.replayed);
  };
  const arrivedAt = async (domain: string) =>
    (await fleet().sandbox.messages({ to: `*@${domain}` })).map(({ to }) => to).sort();

  test('the queues are wiped in the middle of a paced replay: everything is sent all the same, each when it is due', async () => {
    const addresses = await dieAll('paced.test', 40);
    assert.equal(await replay({ filter: {}, rate: 8 }), 40);
    const due = await dueTimes(fleet());
    await waitFor(async () => (await arrivedAt('paced.test')).length >= 5, { what: 'the first five' });
    await wipe(fleet());
    await fleet().untilSettled({ timeoutMs: 60_000 });
    assert.deepEqual(await arrivedAt('paced.test'), addresses.toSorted());
    assert.ok(due.size >= 30, 'most were still to come');
    const { rows } = await fleet().database.query<{ id: string; at: Date }>(
      "SELECT delivery_id AS id, started_at AS at FROM attempt WHERE outcome = 'sent'",
    );
    const early = rows.filter(({ id, at }) => at.getTime() < (due.get(id) ?? 0));
    assert.deepEqual(early, [], 'none before its time');
  });

  test('a retry does not overtake the pace of a replay', async () => {
    await dieAll('slow.test', 3);
    assert.equal(await replay({ filter: { search: 'n0@slow.test' }, rate: 1 }), 1);
    assert.equal(await replay({ filter: {}, rate: 1 }), 2);
    const before = await dueTimes(fleet());
    await fleet().call('POST', '/notifications/retry');
    const after = await dueTimes(fleet());
    for (const [id, at] of after) assert.equal(at, before.get(id));
    await fleet().untilSettled();
  });

  test('what a replay brings back is judged when it is taken: too late, opted out or erased, it is not sent', async () => {
    const { call, person, send, sandbox, untilStatus, untilSettled, database } = fleet();
    await sandbox.fault({
      channel: 'email',
      recipient: '*@judged.test',
      action: { kind: 'smtp', code: 451 },
    });
    const ids: Record<string, string> = {};
    for (const name of ['late', 'opted', 'erased']) {
      await person(name, { email: `${name}@judged.test` });
      ids[name] = await send({ user_id: name, message: 'x', channels: ['email'] });
    }
    for (const id of Object.values(ids)) await untilStatus(id, 'FAILED');
    await sandbox.clearFaults();
    const dead = new Map<string, string>();
    for (const [name, id] of Object.entries(ids)) dead.set(name, (await only(fleet(), id)).id);
    await database.query(
      "UPDATE delivery SET expires_at = now() - interval '1 s' WHERE notification_id = $1",
      [ids.late],
    );
    await call('PUT', '/users/opted/preferences', { email: false });
    await call('DELETE', '/users/erased');
    assert.equal(await replay({ ids: [...dead.values()] }), 3);
    await untilSettled();
    const { rows } = await database.query<{ id: string; end: string }>(
      "SELECT id, state || ' ' || reason AS end FROM delivery WHERE id = ANY($1)",
      [[...dead.values()]],
    );
    const ends = new Map(rows.map(({ id, end }) => [id, end]));
    assert.deepEqual(
      [...dead].map(([name, id]) => [name, ends.get(id)]),
      [
        ['late', 'expired expired'],
        ['opted', 'suppressed preference_off'],
        ['erased', 'suppressed person_erased'],
      ],
    );
    assert.deepEqual(await arrivedAt('judged.test'), []);
  });

  test('a notification that was brought back is pending, then sent, under the identity that it had', async () => {
    const { sandbox, untilStatus, call, queues } = fleet();
    const to = 'identity@example.org';
    await sandbox.fault({ channel: 'email', recipient: to, action: { kind: 'accept-and-drop' }, times: 1 });
    const id = await email(fleet(), to);
    await untilStatus(id, 'FAILED');
    const { id: delivery } = await only(fleet(), id);
    assert.equal(await replay({ ids: [delivery], rate: 1 }), 1);
    await untilStatus(id, 'SENT');
    const mails = await sandbox.messages({ to });
    assert.deepEqual(
      mails.map(({ message_id }) => message_id),
      Array(2).fill(`<${delivery}@belfry.test>`),
    );
    assert.ok(await queues.queue('email.normal').getJob(`${delivery}-g2`), 'its job is another one');
    assert.equal((await call('GET', '/dead-letters?search=identity@example.org')).text, '[]');
  });
});

/** When each delivery that waits for its turn is due. */
async function dueTimes({ database }: Fleet): Promise<Map<string, number>> {
  const { rows } = await database.query<{ id: string; at: Date }>(
    "SELECT id, due_at AS at FROM delivery WHERE state = 'queued'",
  );
  return new Map(rows.map(({ id, at }) => [id, at.getTime()]));
}
