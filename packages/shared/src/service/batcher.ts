import { AsyncResource } from 'node:async_hooks';

/** Gathers concurrent calls into one call over many items: group commit. */
export interface Batcher<Item, Result> {
  /** Adds one item; resolves with its result. Rejects with `BatcherFull` when too much is waiting. */
  add(item: Item): Promise<Result>;
  /** Resolves when everything that was added has ended. */
  idle(): Promise<void>;
}

export interface BatcherOptions<Item, Result> {
  /** Does the work for all items; results in the order of the items. It must have a deadline of its own. */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Items in one batch at most. */
  readonly batch: number;
  /** Batches on their way at once. */
  readonly flights: number;
  /** Items waiting at most, by their weight. */
  readonly waiting: number;
  /** How much of `batch` and of `waiting` one item takes; 1 when not given. */
  readonly weigh?: (item: Item) => number;
  /** When given, a batch holds items of one key alone, and no two batches of a key are on their way at once. */
  readonly keyOf?: (item: Item) => string;
  /** True when running a batch again item by item could help. An outage is not worth it. */
  readonly splittable?: (error: unknown) => boolean;
}

/** Too much is waiting: the caller should be told to come back later. */
export class BatcherFull extends Error {
  override readonly name = 'BatcherFull';
  constructor() {
    super('Too much work is waiting.');
  }
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

interface Batch<Item, Result> {
  readonly items: Waiting<Item, Result>[];
  readonly key: string | undefined;
}

/** A batch belongs to all its callers, so it runs in none of their asynchronous contexts: no trace of one holds the others. */
const NOBODY = new AsyncResource('belfry-batch');

/**
 * There is no timer: a batch leaves as soon as a flight is free, with whatever has come by then. So a call on an idle
 * system is not delayed, and under load the batches grow by themselves while earlier ones are on their way.
 * An error reaches every caller of its batch, unless it is `splittable`: then each item is run alone, so that one bad
 * item harms no other.
 */
export function createBatcher<Item, Result>(options: BatcherOptions<Item, Result>): Batcher<Item, Result> {
  let queue: Waiting<Item, Result>[] = [];
  const idlers: (() => void)[] = [];
  const weightOf = (item: Item) => options.weigh?.(item) ?? 1;
  /** The keys of what is on its way. */
  const busy = new Set<string>();
  let waitingWeight = 0;
  let flying = 0;
  let departing = false;

  function depart(): void {
    if (departing || flying >= options.flights || queue.length === 0) return;
    departing = true;
    setImmediate(() => {
      departing = false;
      while (flying < options.flights) {
        const batch = takeBatch();
        if (batch.items.length === 0) return;
        void NOBODY.runInAsyncScope(fly, null, batch);
      }
    });
  }

  function takeBatch(): Batch<Item, Result> {
    const items: Waiting<Item, Result>[] = [];
    let key: string | undefined;
    let weight = 0;
    for (const one of queue) {
      const own = options.keyOf?.(one.item);
      if (own !== undefined && (busy.has(own) || (items.length > 0 && own !== key))) continue;
      const added = weightOf(one.item);
      if (items.length > 0 && weight + added > options.batch) break;
      key = own;
      weight += added;
      items.push(one);
    }
    waitingWeight -= weight;
    if (options.keyOf === undefined) queue.splice(0, items.length);
    else {
      const taken = new Set(items);
      queue = queue.filter((one) => !taken.has(one));
    }
    return { items, key };
  }

  async function fly({ items, key }: Batch<Item, Result>): Promise<void> {
    flying += 1;
    if (key !== undefined) busy.add(key);
    await settle(items);
    flying -= 1;
    if (key !== undefined) busy.delete(key);
    if (flying === 0 && queue.length === 0) for (const done of idlers.splice(0)) done();
    depart();
  }

  async function settle(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await options.run(batch.map(({ item }) => item));
      batch.forEach(({ resolve, reject }, index) => {
        const result = results[index];
        if (result === undefined) reject(new Error('A batch returned fewer results than it had items.'));
        else resolve(result);
      });
    } catch (error) {
      if (batch.length > 1 && options.splittable?.(error) === true) {
        for (const one of batch) await settle([one]);
      } else {
        for (const { reject } of batch) reject(error);
      }
    }
  }

  return {
    add(item) {
      if (waitingWeight >= options.waiting) return Promise.reject(new BatcherFull());
      waitingWeight += weightOf(item);
      return new Promise<Result>((resolve, reject) => {
        queue.push({ item, resolve, reject });
        depart();
      });
    },
    idle() {
      if (flying === 0 && queue.length === 0) return Promise.resolve();
      return new Promise((resolve) => idlers.push(resolve));
    },
  };
}
