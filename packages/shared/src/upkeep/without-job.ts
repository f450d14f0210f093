import type { QueueEngine } from '../queue/queue-engine.js';

/** Those of these, in their order, whose job, by the id that `idOf` gives it, the queue does not have. */
export async function withoutJob<One>(
  engine: QueueEngine,
  queue: string,
  all: readonly One[],
  idOf: (one: One) => string,
): Promise<One[]> {
  const alive = await engine.alive(queue, all.map(idOf));
  return all.filter((one) => !alive.has(idOf(one)));
}
