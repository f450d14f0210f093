import type { Database } from './database.js';
import { retryTransient } from './retry-transient.js';
import { type PersonWrite, writePeople } from './write-people.js';

/** Writes down what the user directory said of people; who has been written here since is left as they are. */
export async function writeFromDirectory(database: Database, people: readonly PersonWrite[]): Promise<void> {
  await retryTransient(() =>
    database.transaction((transaction) => writePeople(transaction, people, { fromDirectory: true })),
  );
}

/**
 * The directory knows somebody no more. They are switched off and not erased: a directory that was set up wrongly also knows
 * nobody, and what it says next may be otherwise. What waits for them is not sent; they are asked for at every use.
 */
export async function deactivateFromDirectory(database: Database, id: string): Promise<void> {
  await database.rows(
    `UPDATE person SET active = false, updated_at = now()
     WHERE id = $1 AND directory_at IS NOT NULL AND active`,
    [id],
  );
}
