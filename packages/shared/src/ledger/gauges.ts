import type { Channel, Priority } from '../domain/channel.js';
import type { Database } from './database.js';
import { isOpen, isWaiting } from './states.js';

/** What the ledger knows about a queue that has anything in it. */
export interface LedgerLoad {
  readonly channel: Channel;
  readonly priority: Priority;
  /** Deliveries for which something is still to be done, also those that are scheduled. */
  readonly open: number;
  /** Those of them that are due, or whose worker let its lease lapse. */
  readonly due: number;
  /** How long the first of those has been waiting, in seconds; 0 when there is none. */
  readonly oldestSeconds: number;
}

/**
 * Counts what is open, for each channel and priority that has any. It reads the index of the open rows and those rows
 * alone, so it grows with the backlog and not with what is long over.
 */
export function measureLoad(database: Database): Promise<LedgerLoad[]> {
  return database.rows<LedgerLoad & Record<string, unknown>>(
    `SELECT channel, priority, count(*)::int AS open, count(*) FILTER (WHERE since <= now())::int AS due,
       coalesce(extract(epoch FROM now() - min(since) FILTER (WHERE since <= now())), 0)::float8 AS "oldestSeconds"
     FROM (SELECT channel, priority, CASE WHEN ${isWaiting('state')} THEN due_at ELSE lease_until END AS since
       FROM delivery WHERE ${isOpen('state')}) AS open_rows
     GROUP BY channel, priority`,
  );
}
