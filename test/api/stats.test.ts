import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Fleet, useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import { waitFor } from '../support/wait.js';

const STATUSES = ['SENT', 'FAILED', 'PENDING', 'CANCELLED'] as const;
type Status = (typeof STATUSES)[number];

/** What the numbers must be, counted beside the API by what it answered. */
class Model {
  readonly #counts = new Map<string, Record<Status, number>>();

  add(event: string | undefined, status: Status, by = 1): void {
    const name = event ?? 'none';
    const counts = this.#counts.get(name) ?? { SENT: 0, FAILED: 0, PENDING: 0, CANCELLED: 0 };
    counts[status] += by;
    this.#counts.set(name, counts);
  }

  stats() {
    const by_status = Object.fromEntries(
      STATUSES.map((status) => [
        status,
        [...this.#counts.values()].reduce((sum, one) => sum + one[status], 0),
      ]),
    );
    const { SENT = 0, FAILED = 0, PENDING = 0, CANCELLED = 0 } = by_status;
    return {
      total_notifications: SENT + FAILED + PENDING + CANCELLED,
      total_sent: SENT,
      total_failed: FAILED,
      total_pending: PENDING,
      total_cancelled: CANCELLED,
      by_status,
      by_event_type: Object.fromEntries(this.#counts),
    };
  }
}

describe('statistics', () => {
  const fleet = useFleet({ engine: 'postgres', api: 2 });
  const model = new Model();
  const stats = async () => (await fleet().call('GET', '/notifications/stats')).body;

  before(async () => {
    await fleet().person('ada', { email: 'ada@example.org' });
    await fleet().person('off', { active: false });
    await fleet().sandbox.fault({
      channel: 'email',
      recipient: 'bounce@example.org',
      action: { kind: 'smtp', code: 550 },
    });
    await fleet().person('bounce', { email: 'bounce@example.org' });
  });

  test('of nothing there is nothing', async () => {
    assert.deepEqual(await stats(), {
      ...new Model().stats(),
      by_event_type: {},
    });
    assert.equal((await fleet().page('/api/v1/notifications/stats?format=ascii')).text.includes('|'), false);
  });

  test('after hundreds of sends, failures and cancellations in any order, every number is exact', async () => {
    const random = seeded(20261122);
    const later = () => Date.now() / 1000 + 3600;
    const listing = { event_type: 'listing_approved', context: { property_title: 'Flat' } };
    const kinds: readonly ((fleet: Fleet, api: number) => Promise<void>)[] = [
      async (f, api) => {
        await f.send({ user_id: 'ada', message: 'x', channels: ['realtime'] }, { api });
        model.add(undefined, 'SENT');
      },
      async (f, api) => {
        await f.send({ user_id: 'ada', ...listing }, { api });
        model.add('listing_approved', 'SENT');
      },
      async (f, api) => {
        await f.send({ user_id: 'bounce', ...listing, channels: ['email'] }, { api });
        model.add('listing_approved', 'FAILED');
      },
      async (f, api) => {
        await f.send({ user_id: 'off', ...listing }, { api });
        model.add('listing_approved', 'FAILED');
      },
      async (f, api) => {
        await f.call('POST', '/notifications/send', { user_id: 'nobody', message: 'x' }, { api });
        model.add(undefined, 'FAILED');
      },
      async (f, api) => {
        await f.send({ user_id: 'ada', message: 'x', send_at: later() }, { api });
        model.add(undefined, 'PENDING');
      },
      async (f, api) => {
        const id = await f.send({ user_id: 'ada', ...listing, send_at: later() }, { api });
        const cancelled = await f.call('POST', `/notifications/${id}/cancel`, undefined, { api: 1 - api });
        assert.equal(cancelled.status, 200, cancelled.text);
        model.add('listing_approved', 'CANCELLED');
      },
      async (f, api) => {
        const refused = await f.call('POST', '/notifications/send', { user_id: 'ada' }, { api });
        assert.equal(refused.status, 422);
      },
      async (f, api) => {
        const notifications = Array.from({ length: 5 }, () => ({
          user_id: 'ada',
          message: 'x',
          send_at: later(),
        }));
        const batch = await f.call('POST', '/notifications/batch', { notifications }, { api });
        assert.equal(items(batch.body.results).length, 5);
        model.add(undefined, 'PENDING', 5);
      },
    ];
    for (let round = 0; round < 30; round += 1) {
      await Promise.all(
        Array.from({ length: 10 }, () => kinds[Math.floor(random() * kinds.length)]?.(fleet(), round % 2)),
      );
      const { total_notifications } = await stats();
      assert.equal(total_notifications, model.stats().total_notifications, 'exact at any moment');
    }
    const wanted = model.stats();
    await waitFor(async () => Number((await stats()).total_pending) === wanted.total_pending, {
      what: 'what is due to be sent',
      timeoutMs: 30_000,
    });
    assert.deepEqual(await stats(), wanted);
  });

  test('the same as bars: one scale, forty strokes at most, one at least for what is not zero', async () => {
    const wanted = model.stats();
    const asFormat = await fleet().call('GET', '/notifications/stats?format=ascii');
    const asText = await fleet().call('GET', '/notifications/stats', undefined, {
      headers: { accept: 'text/plain' },
    });
    for (const answer of [asFormat, asText]) {
      assert.equal(answer.status, 200);
      assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/);
    }
    assert.equal(asText.text, asFormat.text);
    const bars = new Map(
      asText.text
        .trimEnd()
        .split('\n')
        .map((line) => {
          const [, name = '', bar = '', count] = /^(\w+): +(\|*) ?(\d+)$/.exec(line) ?? assert.fail(line);
          return [name, { bar, count: Number(count) }];
        }),
    );
    assert.deepEqual([...bars.keys()], ['Total', 'Sent', 'Failed', 'Pending', 'Cancelled']);
    const counts = [
      wanted.total_notifications,
      wanted.total_sent,
      wanted.total_failed,
      wanted.total_pending,
      wanted.total_cancelled,
    ];
    assert.deepEqual(
      [...bars.values()].map(({ count }) => count),
      counts,
    );
    assert.equal(bars.get('Total')?.bar.length, 40);
    for (const { bar, count } of bars.values()) {
      const share = (count / wanted.total_notifications) * 40;
      assert.ok(Math.abs(bar.length - share) <= 1 && (count === 0 || bar.length >= 1), `${count}: ${bar}`);
    }
  });

  test('browsers and programs that take anything get JSON', async () => {
    for (const accept of [
      '*/*',
      'application/json',
      'text/html, */*;q=0.1',
      'application/json, text/plain',
    ]) {
      const answer = await fleet().call('GET', '/notifications/stats', undefined, { headers: { accept } });
      assert.match(answer.headers.get('content-type') ?? '', /^application\/json/, accept);
    }
  });
});

/** Mulberry32: the same numbers from 0 to 1 in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
