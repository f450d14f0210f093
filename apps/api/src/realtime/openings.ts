import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { type Opening, openingsOf } from '@belfry/shared/ledger/inbox-stream.js';
import { isTransient } from '@belfry/shared/ledger/outage.js';
import {
  type Admittance,
  endStreams,
  openStreams,
  type SessionBounds,
  type Stream,
} from '@belfry/shared/ledger/sessions.js';
import { createBatcher } from '@belfry/shared/service/batcher.js';
import { comeBackMs } from './line.js';

/** A stream that somebody wants. */
export interface Wanted extends Stream {
  /** The id of the last note that its client has; null when it does not say. */
  readonly since: string | null;
}

/** What came of it. */
export interface Opened {
  readonly admittance: Admittance;
  readonly opening: Opening;
}

export interface OpeningsOptions {
  readonly database: Database;
  /** The id of this process. */
  readonly node: string;
  readonly bounds: SessionBounds;
  /** The connections of the pool. Half of them at most are used here. */
  readonly connections: number;
  /** Streams that wait to be opened at most; for more `BatcherFull` is thrown. */
  readonly waiting: number;
}

const AT_ONCE = 20;
const FLIGHTS = 2;
/** Whose turn has not come after so long is told to come back: its client has hardly more patience. */
const PATIENCE_MS = 10_000;

/**
 * Opens streams: writes them down, and reads what their clients have missed. After an outage everybody comes at once: so
 * many are opened by the same few statements, on a part of the connections, and the other calls have the rest.
 */
export function createOpenings({ database, node, bounds, connections, waiting }: OpeningsOptions) {
  const batcher = createBatcher<Wanted & { readonly latest: number }, Opened | 'late'>({
    batch: AT_ONCE,
    flights: Math.min(FLIGHTS, Math.floor(connections / 2)),
    waiting,
    splittable: isTransient,
    async run(all) {
      const now = performance.now();
      const wanted = all.filter(({ latest }) => latest >= now);
      const opened = wanted.length === 0 ? [] : await openAll(wanted);
      const byId = new Map(wanted.map(({ id }, index) => [id, opened[index]]));
      return all.map(({ id }) => byId.get(id) ?? 'late');
    },
  });

  async function openAll(wanted: readonly Wanted[]): Promise<Opened[]> {
    const admittances = await openStreams(database, wanted, node, bounds);
    try {
      const openings = await openingsOf(database, wanted);
      return openings.map((opening, index) => ({ opening, admittance: admittances[index] ?? 'unknown' }));
    } catch (error) {
      // What cannot be written is seen by its silence.
      await endStreams(
        database,
        node,
        wanted.map(({ id }) => id),
      ).catch(() => undefined);
      throw error;
    }
  }

  return async (wanted: Wanted): Promise<Opened> => {
    const opened = await batcher.add({ ...wanted, latest: performance.now() + PATIENCE_MS });
    if (opened !== 'late') return opened;
    throw new Refusal('unavailable', 'More clients want a stream than can be given one at once.', {
      retryAfterMs: comeBackMs(),
    });
  };
}
