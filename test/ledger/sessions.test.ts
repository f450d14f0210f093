import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newId } from '@belfry/shared/domain/ids.js';
import { putPerson } from '@belfry/shared/ledger/people.js';
import {
  endStreams,
  forgetSessions,
  openStream,
  presenceOf,
  renewStreams,
  reportSession,
} from '@belfry/shared/ledger/sessions.js';
import { OPS, withLedger } from './with-ledger.js';

const TTL_MS = 90_000;
const BOUNDS = { perPerson: 20, ttlMs: TTL_MS };

describe('sessions in the ledger', () => {
  const ledger = withLedger();
  const age = (interval: string) =>
    ledger.one.rows(`UPDATE realtime_session SET seen_at = seen_at - $1::interval`, [interval]);
  const idsOf = async (person: string) => {
    const rows = await ledger.one.rows<{ id: string }>(
      'SELECT id FROM realtime_session WHERE person_id = $1 ORDER BY id',
      [person],
    );
    return rows.map(({ id }) => id);
  };
  const open = async (personId: string, node: string) => {
    const id = newId();
    const opened = await openStream(ledger.one, { id, personId, transport: 'websocket' }, node, BOUNDS);
    assert.equal(opened, 'open');
    return id;
  };

  it('outlive a process that could not renew them for a while, whoever sweeps meanwhile', async () => {
    await putPerson(ledger.one, 'asleep', {}, OPS);
    const node = newId();
    const streams = [await open('asleep', node), await open('asleep', node)];
    await age('10 minutes');
    assert.deepEqual((await presenceOf(ledger.one, 'asleep', TTL_MS))?.sessions, []);
    await forgetSessions(ledger.two, TTL_MS);
    assert.deepEqual((await renewStreams(ledger.one, node, streams)).sort(), [...streams].sort());
    assert.equal((await presenceOf(ledger.one, 'asleep', TTL_MS))?.sessions.length, 2);
  });

  it('that ended, fell silent or lost their process a day ago are forgotten, but for the last', async () => {
    await putPerson(ledger.one, 'gone', {}, OPS);
    const node = newId();
    await open('gone', newId());
    await age('25 hours');
    const ended = await open('gone', node);
    await endStreams(ledger.one, node, [ended]);
    await reportSession(ledger.one, { personId: 'gone', name: 'phone', device: null }, BOUNDS);
    await age('2 minutes');
    const last = await open('gone', node);
    await endStreams(ledger.one, node, [last]);
    await forgetSessions(ledger.two, TTL_MS);
    assert.deepEqual(await idsOf('gone'), [last]);
    await age('31 days');
    await forgetSessions(ledger.two, TTL_MS);
    assert.deepEqual(await idsOf('gone'), []);
  });
});
