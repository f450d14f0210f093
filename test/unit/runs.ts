/** Batches that were begun, each of which ends when the test says so. */
export interface Runs<Item> {
  readonly started: Item[][];
  /** What a batcher runs. */
  run(items: readonly Item[]): Promise<void>;
  /** Ends the oldest batch that is still under way. */
  end(): void;
  fail(error: Error): void;
  /** Resolves when this many batches have been begun. */
  untilStarted(count: number): Promise<void>;
}

export function recordRuns<Item>(): Runs<Item> {
  const started: Item[][] = [];
  const flying: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const watchers: { count: number; resolve: () => void }[] = [];
  return {
    started,
    run(items) {
      started.push([...items]);
      for (const { count, resolve } of watchers) if (started.length >= count) resolve();
      return new Promise((resolve, reject) => flying.push({ resolve, reject }));
    },
    end: () => flying.shift()?.resolve(),
    fail: (error) => flying.shift()?.reject(error),
    untilStarted: (count) =>
      new Promise((resolve) => (started.length >= count ? resolve() : watchers.push({ count, resolve }))),
  };
}
