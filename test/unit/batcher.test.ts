import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { BatcherFull, type BatcherOptions, createBatcher } from '@belfry/shared/service/batcher.js';
import fc from 'fast-check';
import { type Runs, recordRuns } from './runs.js';

/** A batcher of texts whose batches end when the test says so, and that doubles each text. */
function held(options: Partial<BatcherOptions<string, string>> = {}) {
  const runs: Runs<string> = recordRuns();
  const batcher = createBatcher<string, string>({
    batch: 3,
    flights: 1,
    waiting: 10,
    run: async (items) => {
      await runs.run(items);
      return items.map((item) => item + item);
    },
    ...options,
  });
  return { runs, batcher };
}

describe('a batcher', () => {
  it('lets a call on an idle system leave in the same turn of the event loop', async () => {
    const { runs, batcher } = held();
    const one = batcher.add('a');
    await turn();
    assert.deepEqual(runs.started, [['a']]);
    runs.end();
    assert.equal(await one, 'aa');
  });

  it('makes one batch of what comes in one turn, and of what comes while the flights are out', async () => {
    const { runs, batcher } = held();
    const all = ['a', 'b'].map((item) => batcher.add(item));
    await turn();
    for (const item of ['c', 'd', 'e', 'f']) all.push(batcher.add(item));
    await turn();
    assert.deepEqual(runs.started, [['a', 'b']]);
    runs.end();
    await runs.untilStarted(2);
    runs.end();
    await runs.untilStarted(3);
    runs.end();
    assert.deepEqual(await Promise.all(all), ['aa', 'bb', 'cc', 'dd', 'ee', 'ff']);
    assert.deepEqual(runs.started, [['a', 'b'], ['c', 'd', 'e'], ['f']]);
  });

  it('puts what has one key into batches of its own, of which one is on its way at a time', async () => {
    const { runs, batcher } = held({ flights: 2, keyOf: (item) => item.slice(0, 1) });
    const all = ['a1', 'b1', 'a2', 'b2', 'a3', 'a4', 'c1'].map((item) => batcher.add(item));
    await turn();
    await turn();
    assert.deepEqual(runs.started, [
      ['a1', 'a2', 'a3'],
      ['b1', 'b2'],
    ]);
    all.push(batcher.add('b3'));
    // What waits for its key to be free keeps no other from leaving.
    runs.end();
    await runs.untilStarted(3);
    runs.end();
    await runs.untilStarted(4);
    assert.deepEqual(runs.started.slice(2), [['a4'], ['c1']]);
    runs.end();
    await runs.untilStarted(5);
    assert.deepEqual(runs.started.slice(4), [['b3']]);
    runs.end();
    runs.end();
    assert.equal((await Promise.all(all)).length, 8);
    await batcher.idle();
  });

  it('has no more batches on their way than it has flights', async () => {
    const { runs, batcher } = held({ batch: 1, flights: 2 });
    const all = ['a', 'b', 'c'].map((item) => batcher.add(item));
    await turn();
    await turn();
    assert.deepEqual(runs.started, [['a'], ['b']]);
    runs.end();
    await runs.untilStarted(3);
    runs.end();
    runs.end();
    await Promise.all(all);
  });

  it('tells an error to every caller of its batch, and to nobody else', async () => {
    const { runs, batcher } = held({ batch: 2 });
    const settled = Promise.allSettled(['a', 'b', 'c'].map((item) => batcher.add(item)));
    await turn();
    runs.fail(new Error('away'));
    await runs.untilStarted(2);
    runs.end();
    const [a, b, c] = await settled;
    assert.deepEqual(
      [a, b].map((one) => one?.status === 'rejected' && one.reason.message),
      ['away', 'away'],
    );
    assert.deepEqual(c, { status: 'fulfilled', value: 'cc' });
  });

  it('runs the items of a batch alone when one of them is bad, so that it harms no other', async () => {
    const sizes: number[] = [];
    const batcher = createBatcher<number, number>({
      batch: 10,
      flights: 1,
      waiting: 10,
      splittable: (error) => error instanceof RangeError,
      run: async (items) => {
        sizes.push(items.length);
        if (items.some((item) => item < 0)) throw new RangeError('negative');
        return items.map((item) => item * 2);
      },
    });
    const settled = await Promise.allSettled([1, -1, 3].map((item) => batcher.add(item)));
    assert.deepEqual(
      settled.map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason))),
      [2, 'RangeError: negative', 6],
    );
    assert.deepEqual(sizes, [3, 1, 1, 1]);
  });

  it('does not split for an error that splitting cannot help', async () => {
    let runs = 0;
    const batcher = createBatcher<number, number>({
      batch: 10,
      flights: 1,
      waiting: 10,
      splittable: (error) => error instanceof RangeError,
      run: () => {
        runs += 1;
        return Promise.reject(new TypeError('away'));
      },
    });
    const settled = await Promise.allSettled([1, 2].map((item) => batcher.add(item)));
    assert.ok(settled.every((one) => one.status === 'rejected'));
    assert.equal(runs, 1);
  });

  it('refuses what it has no room for, and takes more as soon as there is room', async () => {
    const { runs, batcher } = held({ waiting: 2, batch: 2 });
    const all = ['a', 'b'].map((item) => batcher.add(item));
    await assert.rejects(batcher.add('c'), BatcherFull);
    await turn();
    all.push(batcher.add('c'));
    runs.end();
    await runs.untilStarted(2);
    runs.end();
    assert.deepEqual(await Promise.all(all), ['aa', 'bb', 'cc']);
  });

  it('refuses by weight what it has no room for', async () => {
    const { runs, batcher } = held({ waiting: 5, batch: 9, weigh: (item) => item.length });
    const heavy = batcher.add('aaaaaa');
    await assert.rejects(batcher.add('b'), BatcherFull);
    await turn();
    const light = batcher.add('b');
    runs.end();
    await runs.untilStarted(2);
    runs.end();
    assert.deepEqual(await Promise.all([heavy, light]), ['aaaaaaaaaaaa', 'bb']);
  });

  it('fills a batch by weight, and takes one item that is heavier than a batch alone', async () => {
    const { runs, batcher } = held({ batch: 4, flights: 9, waiting: 99, weigh: (item) => item.length });
    const all = ['aa', 'bb', 'c', 'dddddd', 'e'].map((item) => batcher.add(item));
    await turn();
    assert.deepEqual(runs.started, [['aa', 'bb'], ['c'], ['dddddd'], ['e']]);
    for (const _ of runs.started) runs.end();
    await Promise.all(all);
  });

  it('is idle at once when nothing was added, and otherwise when everything has ended', async () => {
    const { runs, batcher } = held();
    await batcher.idle();
    const one = batcher.add('a');
    let idle = false;
    const idling = batcher.idle().then(() => {
      idle = true;
    });
    await turn();
    assert.equal(idle, false);
    runs.end();
    await idling;
    assert.equal(await one, 'aa');
  });

  it('fails the callers that a short answer leaves without a result', async () => {
    const { batcher } = held({ run: async (items) => items.slice(1) });
    const [a, b] = await Promise.allSettled([batcher.add('a'), batcher.add('b')]);
    assert.equal(a?.status, 'fulfilled');
    assert.match(b?.status === 'rejected' ? b.reason.message : '', /fewer results/);
  });

  it('gives everyone their own result in the order they came, whatever the load', async () => {
    const load = fc.array(fc.record({ weight: fc.integer({ min: 1, max: 7 }), pause: fc.boolean() }), {
      maxLength: 60,
    });
    const shape = fc.record({
      batch: fc.integer({ min: 1, max: 8 }),
      flights: fc.integer({ min: 1, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(load, shape, async (items, { batch, flights }) => {
        const seen: number[] = [];
        let flying = 0;
        const batcher = createBatcher<{ n: number; weight: number }, number>({
          batch,
          flights,
          waiting: 100,
          weigh: ({ weight }) => weight,
          run: async (taken) => {
            flying += 1;
            assert.ok(flying <= flights);
            const weight = taken.reduce((sum, one) => sum + one.weight, 0);
            assert.ok(taken.length === 1 || (taken.length > 1 && weight <= batch));
            seen.push(...taken.map(({ n }) => n));
            await turn();
            flying -= 1;
            return taken.map(({ n }) => -n);
          },
        });
        const results: Promise<number>[] = [];
        for (const [n, { weight, pause }] of items.entries()) {
          results.push(batcher.add({ n: n + 1, weight }));
          if (pause) await turn();
        }
        const wanted = items.map((_, index) => index + 1);
        assert.deepEqual(
          await Promise.all(results),
          wanted.map((n) => -n),
        );
        await batcher.idle();
        assert.deepEqual(seen, wanted);
      }),
      { numRuns: 60 },
    );
  });

  it('runs in none of the asynchronous contexts of its callers, who each go on in their own', async () => {
    const caller = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const batcher = createBatcher<string, string | undefined>({
      batch: 10,
      flights: 1,
      waiting: 10,
      run: async (items) => {
        seen.push(caller.getStore());
        return items;
      },
    });
    const call = (name: string) =>
      caller.run(name, async () => {
        await batcher.add(name);
        return caller.getStore();
      });
    assert.deepEqual(await Promise.all(['ada', 'bob'].map(call)), ['ada', 'bob']);
    assert.deepEqual(await call('eve'), 'eve');
    assert.deepEqual(seen, [undefined, undefined]);
  });
});
