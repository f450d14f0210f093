import { Refusal } from '../domain/refusal.js';
import type { Database } from '../ledger/database.js';
import { deactivateFromDirectory, writeFromDirectory } from '../ledger/directory-people.js';
import { isOutage } from '../ledger/outage.js';
import type { PersonWrite } from '../ledger/write-people.js';
import { createBatcher } from '../service/batcher.js';
import type { Events } from '../service/events.js';
import type { DirectoryClient } from './client.js';

/** A person as the ledger has them at this moment; null for nobody. */
export interface KnownPerson {
  /** Since they were read from the directory; null for somebody who was written here. */
  readonly directoryAgeMs: number | null;
}

/** What the directory came to for one person. `stale`: it cannot be asked, and what is here has to do. */
export type Resolution = 'current' | 'refreshed' | 'unknown' | 'stale';

/** The user directory in front of the ledger: who is not here, or was read too long ago, is asked for and written down. */
export interface Directory {
  /**
   * Brings the ledger up to date for one person, if need be. Throws `Refusal` `unavailable` when the directory cannot be asked
   * and nobody is here by that id: it is not known whether there is such a person.
   */
  resolve(id: string, known: KnownPerson | null): Promise<Resolution>;
}

export interface DirectoryParts {
  readonly database: Database;
  readonly ask: DirectoryClient;
  readonly events: Pick<Events, 'directoryFailed'>;
  readonly ttlMs: number;
}

/** For how long nobody is asked for again, and how many of them are remembered. */
const NOBODY_MS = 30_000;
const MOST_NOBODIES = 10_000;
const RETRY_AFTER_MS = 5_000;

export function createDirectory({ database, ask, events, ttlMs }: DirectoryParts): Directory {
  const asking = new Map<string, Promise<Resolution>>();
  const nobodies = createMemory();
  const writes = createBatcher<PersonWrite, true>({
    batch: 200,
    flights: 1,
    waiting: 10_000,
    splittable: (error) => !isOutage(error),
    run: async (people) => {
      await writeFromDirectory(database, people);
      return people.map(() => true);
    },
  });

  async function refresh(id: string, known: KnownPerson | null): Promise<Resolution> {
    const answer = await ask(id);
    switch (answer.kind) {
      case 'found':
        await writes.add({ id, change: answer.change });
        return 'refreshed';
      case 'unknown':
        nobodies.add(id);
        if (known !== null) await deactivateFromDirectory(database, id);
        return 'unknown';
      case 'down':
        events.directoryFailed({ why: answer.why, known: known !== null });
        if (known !== null) return 'stale';
        throw directoryUnavailable();
    }
  }

  return {
    async resolve(id, known) {
      if (known !== null && (known.directoryAgeMs === null || known.directoryAgeMs < ttlMs)) return 'current';
      if (nobodies.has(id)) return 'unknown';
      const same = asking.get(id);
      if (same !== undefined) return same;
      const mine = refresh(id, known).finally(() => asking.delete(id));
      asking.set(id, mine);
      return mine;
    },
  };
}

/** Ids for a while, the oldest forgotten first. */
function createMemory(): { add(id: string): void; has(id: string): boolean } {
  const until = new Map<string, number>();
  return {
    add(id) {
      until.delete(id);
      until.set(id, performance.now() + NOBODY_MS);
      const [oldest] = until.keys();
      if (until.size > MOST_NOBODIES && oldest !== undefined) until.delete(oldest);
    },
    has(id) {
      const end = until.get(id);
      if (end === undefined) return false;
      if (end > performance.now()) return true;
      until.delete(id);
      return false;
    },
  };
}

export function directoryUnavailable(): Refusal {
  return new Refusal('unavailable', 'The user directory cannot be asked whether there is such a person.', {
    reason: 'directory_unavailable',
    retryAfterMs: RETRY_AFTER_MS,
  });
}
