import type { Database } from '../ledger/database.js';
import type { QueueEngine } from '../queue/queue-engine.js';
import { within } from './within.js';

/** What a process cannot work without, and whether it is there. */
export type PartsUp = Readonly<Record<'database' | 'schema' | 'queue', boolean>>;

export interface Parts {
  readonly database: Database;
  readonly engine: QueueEngine;
  /** False until the schema is what this build needs. */
  readonly migrated: () => boolean;
}

const PATIENCE_MS = 2_000;

/** Asks the database and the queue engine whether they answer; takes two seconds at most. */
export async function partsUp({ database, engine, migrated }: Parts): Promise<PartsUp> {
  const [ledger, queue] = await Promise.all([answers(database.rows('SELECT 1')), answers(engine.ping())]);
  return { database: ledger, schema: migrated(), queue };
}

/** The names of what is missing. */
export function failingOf(up: Readonly<Record<string, boolean>>): string[] {
  return Object.entries(up).flatMap(([part, isUp]) => (isUp ? [] : [part]));
}

async function answers(question: Promise<unknown>): Promise<boolean> {
  let answered = false;
  await within(
    PATIENCE_MS,
    question.then(() => {
      answered = true;
    }),
  );
  return answered;
}
