import type { Pool } from 'pg';
import { waitFor } from './wait.js';

/** A delivery as the ledger has it. */
export type LedgerDelivery = {
  readonly id: string;
  readonly channel: string;
  readonly state: string;
  readonly reason: string | null;
  readonly round: number;
  /** Tries that counted in this round. */
  readonly attempts: number;
  readonly provider_id: string | null;
  readonly template: string | null;
  readonly due_at: string;
  readonly tried: readonly LedgerAttempt[];
};

export type LedgerAttempt = {
  readonly n: number;
  readonly provider: string;
  readonly outcome: string;
  readonly code: string;
  readonly error: string | null;
  readonly started_at: string;
  readonly finished_at: string;
};

/** What tests ask the ledger, past the API. */
export function ledgerOf(pool: Pool) {
  return {
    async status(notificationId: string): Promise<string | undefined> {
      const { rows } = await pool.query<{ status: string }>('SELECT status FROM notification WHERE id = $1', [
        notificationId,
      ]);
      return rows[0]?.status;
    },

    /** Those that were used, in the order of their channels' names. */
    async deliveries(notificationId: string): Promise<LedgerDelivery[]> {
      const { rows } = await pool.query<LedgerDelivery>(
        `SELECT d.id, d.channel, d.state, d.reason, d.round, d.attempts, d.provider_id, d.template, to_json(d.due_at) AS due_at,
           coalesce((SELECT json_agg(a ORDER BY a.n) FROM attempt a WHERE a.delivery_id = d.id), '[]') AS tried
         FROM delivery d WHERE d.notification_id = $1 AND d.state <> 'skipped' ORDER BY d.channel`,
        [notificationId],
      );
      return rows;
    },

    /** How many deliveries are in each of the states that are not an end. */
    async open(): Promise<Record<string, number>> {
      const { rows } = await pool.query<{ state: string; count: number }>(
        `SELECT state, count(*)::int AS count FROM delivery
         WHERE state IN ('scheduled', 'queued', 'sending', 'retrying', 'ambiguous') GROUP BY state`,
      );
      return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
    },

    /** The names of the fleet's connections that are there although its processes are gone; PostgreSQL gets a moment. */
    async connectionsLeft(): Promise<string[]> {
      let left: string[] = [];
      await waitFor(
        async () => {
          const { rows } = await pool.query<{ name: string }>(
            `SELECT application_name AS name FROM pg_stat_activity
             WHERE datname = current_database() AND application_name LIKE 'belfry%'`,
          );
          left = rows.map(({ name }) => name);
          return left.length === 0;
        },
        { timeoutMs: 10_000, everyMs: 50 },
      ).catch(() => undefined);
      return left;
    },
  };
}
