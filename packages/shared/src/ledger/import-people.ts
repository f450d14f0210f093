import { type Actor, recordAudit } from './audit.js';
import type { Database, Statements } from './database.js';
import { retryTransient } from './retry-transient.js';
import { type PersonChange, type PersonWrite, writePeople } from './write-people.js';

/** Whose import it is, and what the trail calls it. */
export interface Import {
  readonly id: string;
  readonly actor: Actor;
}

/** What an import has done. Every good line is one of the first two: it made somebody new, or changed somebody. */
export interface ImportCounts {
  readonly created: number;
  readonly updated: number;
  readonly refused: number;
}

/**
 * What is written into the audit trail together with a chunk. `whole`: the import is this chunk. `begun`: more follows, so
 * that a crash leaves the fact behind. `ended`: this was the last one.
 */
export type ImportMark = 'whole' | 'begun' | 'ended';

/**
 * Writes one chunk in one transaction and returns the counts with it; `before` are those without. When an id comes twice, the later
 * line is put over the earlier one, as if they had come in two calls.
 */
export async function importChunk(
  database: Database,
  { id, actor }: Import,
  chunk: readonly PersonWrite[],
  before: ImportCounts,
  mark: ImportMark | null,
): Promise<ImportCounts> {
  return retryTransient(() =>
    database.transaction(async (transaction) => {
      const written = await writePeople(transaction, merged(chunk));
      const made = written.filter(({ created }) => created).length;
      const counts = {
        created: before.created + made,
        updated: before.updated + chunk.length - made,
        refused: before.refused,
      };
      if (mark !== null) await record(transaction, { id, actor }, mark, counts);
      return counts;
    }),
  );
}

/** Writes down that an import ended before its end, with what it had done. */
export async function recordBrokenImport(
  database: Database,
  one: Import,
  counts: ImportCounts,
): Promise<void> {
  await record(database, one, 'broken_off', counts);
}

async function record(
  transaction: Statements,
  { id, actor }: Import,
  state: ImportMark | 'broken_off',
  counts: ImportCounts,
): Promise<void> {
  const details = state === 'begun' ? { state } : { state, ...counts };
  await recordAudit(transaction, { actor, action: 'person.import', target: `import:${id}`, details });
}

function merged(chunk: readonly PersonWrite[]): PersonWrite[] {
  const people = new Map<string, PersonChange>();
  for (const { id, change } of chunk) people.set(id, over(people.get(id), change));
  return [...people].map(([id, change]) => ({ id, change }));
}

function over(earlier: PersonChange | undefined, later: PersonChange): PersonChange {
  if (earlier === undefined) return later;
  const given = Object.fromEntries(Object.entries(later).filter(([, value]) => value !== undefined));
  return { ...earlier, ...given, ...wishesOver(earlier, later) };
}

/** What is said of a channel, or of an event on a channel, goes by itself. */
function wishesOver(earlier: PersonChange, later: PersonChange): PersonChange {
  const [before, after] = [earlier.eventPreferences ?? {}, later.eventPreferences ?? {}];
  const events = Object.keys({ ...before, ...after });
  return {
    preferences: { ...earlier.preferences, ...later.preferences },
    eventPreferences: Object.fromEntries(
      events.map((event) => [event, { ...before[event], ...after[event] }]),
    ),
  };
}
