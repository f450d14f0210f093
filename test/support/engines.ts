import { describe } from 'node:test';

export const ENGINES = ['postgres', 'redis'] as const;
/** Where BullMQ keeps its queues: in the ledger's database, or in a Redis of its own. */
export type EngineName = (typeof ENGINES)[number];

/** Defines the same tests once for each engine; whatever works on one has to work on the other. */
export function forEachEngine(define: (engine: EngineName) => void): void {
  for (const engine of ENGINES) describe(`on ${engine}`, () => define(engine));
}
