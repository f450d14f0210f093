import { newId } from '@belfry/shared/domain/ids.js';
import type { Message } from '@belfry/shared/domain/message.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { putPerson } from '@belfry/shared/ledger/people.js';
import { OPS } from './with-ledger.js';

/** What is put into an inbox. */
export type Note = Message<'realtime'>;

/** A note for a person, with its title as the mark to know it by. */
export function note(to: string, title = 'Hello'): Note {
  return {
    deliveryId: newId(),
    notificationId: newId(),
    channel: 'realtime',
    priority: 'normal',
    personId: to,
    to,
    content: { title, body: `About ${title}`, type: 'info', data: { title } },
    firstAttemptAt: new Date(),
  };
}

/** Notes for a person with the titles `1`, `2`, … */
export function notes(to: string, count: number): Note[] {
  return Array.from({ length: count }, (_, index) => note(to, String(index + 1)));
}

/** Adds people who are nothing but there. */
export async function addPeople(database: Database, ...ids: readonly string[]): Promise<void> {
  for (const id of ids) await putPerson(database, id, {}, OPS);
}

/** The numbers of what is in a person's inbox, the lowest first; with `all` also of what is to go with the next one. */
export async function numbersOf(database: Database, personId: string, all = false): Promise<number[]> {
  const rows = await database.rows<{ seq: number }>(
    `SELECT seq FROM inbox_item JOIN inbox USING (person_id)
     WHERE person_id = $1 AND ($2 OR seq > last_seq - 100) ORDER BY seq`,
    [personId, all],
  );
  return rows.map(({ seq }) => seq);
}

/** Whole numbers from one to another. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** A database whose transactions have done their work and wait before they commit: until `release`, and 15 s at most. */
export function heldOpen(database: Database): {
  readonly database: Database;
  readonly worked: Promise<void>;
  release(): void;
} {
  let release = () => {};
  let done = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
    setTimeout(resolve, 15_000).unref();
  });
  const worked = new Promise<void>((resolve) => {
    done = resolve;
  });
  const transaction: Database['transaction'] = (work) =>
    database.transaction(async (statements) => {
      const result = await work(statements);
      done();
      await gate;
      return result;
    });
  return { database: { ...database, transaction }, worked, release: () => release() };
}

/** How many connections to this database wait for a lock. */
export async function waitingForLocks(database: Database): Promise<number> {
  const [row] = await database.rows<{ waiting: number }>(
    `SELECT count(*) AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return row?.waiting ?? 0;
}
