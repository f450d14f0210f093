import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { newId } from '@belfry/shared/domain/ids.js';
import type { ProviderStanding } from '@belfry/shared/domain/provider-standing.js';
import {
  forgetLostWorkers,
  type KnownWorker,
  listWorkers,
  removeWorker,
  reportWorker,
  standingsOf,
} from '@belfry/shared/ledger/workers.js';
import { withLedger } from './with-ledger.js';

const since = '2026-03-01T10:00:00.000Z';
const WELL: ProviderStanding = { account: 'smtp', channel: 'email', state: 'closed', code: null, since };

describe('the workers that are alive', () => {
  const ledger = withLedger();
  beforeEach(() => ledger.one.rows('TRUNCATE worker'));
  const silentFor = (id: string, interval: string) =>
    ledger.one.rows('UPDATE worker SET seen_at = now() - $2::interval WHERE id = $1', [id, interval]);

  it('are those that say so, with what they serve and how they find their providers', async () => {
    const id = newId();
    await reportWorker(ledger.one, { id, queues: ['email.low'], providers: [] });
    await reportWorker(ledger.one, { id, queues: ['email.high'], providers: [WELL] });
    const [worker, ...others] = await listWorkers(ledger.two);
    assert.deepEqual(others, []);
    assert.deepEqual(
      [worker?.id, worker?.alive, worker?.queues, worker?.providers],
      [id, true, ['email.high'], [WELL]],
    );
  });

  it('are missed after 20 seconds of silence, forgotten after ten minutes, and not missed when they said goodbye', async () => {
    const [frozen, dead, gone] = [newId(), newId(), newId()];
    for (const id of [frozen, dead, gone]) await reportWorker(ledger.one, { id, queues: [], providers: [] });
    await removeWorker(ledger.one, gone);
    await silentFor(frozen, '19 seconds');
    await silentFor(dead, '9 minutes');
    const states = async () =>
      Object.fromEntries((await listWorkers(ledger.one)).map(({ id, alive }) => [id, alive]));
    assert.deepEqual(await states(), { [frozen]: true, [dead]: false });
    await silentFor(frozen, '21 seconds');
    assert.deepEqual(await states(), { [frozen]: false, [dead]: false });
    assert.equal(await forgetLostWorkers(ledger.one, 10), 0);
    await silentFor(dead, '11 minutes');
    assert.deepEqual(await states(), { [frozen]: false });
    assert.equal(await forgetLostWorkers(ledger.one, 10), 1);
    await reportWorker(ledger.one, { id: frozen, queues: [], providers: [] });
    assert.deepEqual(await states(), { [frozen]: true }, 'one that goes on is alive again');
  });
});

describe('how a provider is found', () => {
  const worker = (alive: boolean, ...providers: ProviderStanding[]): KnownWorker => ({
    id: newId(),
    alive,
    queues: [],
    providers,
    startedAt: new Date(),
    seenAt: new Date(),
  });
  const open = { ...WELL, state: 'open', code: '421' } as const;
  const refused = {
    ...WELL,
    state: 'misconfigured',
    code: '535',
    since: '2026-03-01T11:00:00.000Z',
  } as const;

  it('is the worst that a living worker says of it, since the first of them said so', () => {
    const earlier = { ...refused, since: '2026-03-01T10:30:00.000Z' };
    assert.deepEqual(standingsOf([worker(true, WELL), worker(true, open)]), [open]);
    assert.deepEqual(standingsOf([worker(true, refused), worker(true, open), worker(true, earlier)]), [
      earlier,
    ]);
    assert.deepEqual(standingsOf([worker(false, refused), worker(true, WELL)]), [WELL]);
    assert.deepEqual(standingsOf([]), []);
  });

  it('is told for each account by itself, by name', () => {
    const second = { ...open, account: 'smtp-2' };
    assert.deepEqual(standingsOf([worker(true, second, WELL)]), [WELL, second]);
  });
});
