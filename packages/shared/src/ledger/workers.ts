import { PROVIDER_TROUBLE, type ProviderStanding } from '../domain/provider-standing.js';
import type { Database } from './database.js';

/*
 * Who is alive. Every worker process writes its own row again and again, by the database's clock; an orderly end takes it
 * away. A row that is still there and is not renewed is a worker that was lost: killed, frozen, or cut off.
 */

/** How often a worker says that it is alive. */
export const REPORT_MS = 5_000;
/** A worker that was not heard of for so long is not counted on. */
const LOST_AFTER_MS = 20_000;
/** So long a lost worker is shown; then upkeep takes its row away. */
const FORGOTTEN_AFTER_MS = 10 * 60_000;

export interface WorkerReport {
  /** The process among all workers: leases carry it. */
  readonly id: string;
  readonly queues: readonly string[];
  readonly providers: readonly ProviderStanding[];
}

/** A worker process as the ledger has it. */
export interface KnownWorker extends WorkerReport {
  /** False when it was not heard of for 20 seconds. */
  readonly alive: boolean;
  readonly startedAt: Date;
  readonly seenAt: Date;
}

/** Says that this worker is alive, what it serves and how it finds its providers. */
export async function reportWorker(database: Database, report: WorkerReport): Promise<void> {
  await database.rows(
    `INSERT INTO worker (id, queues, providers) VALUES ($1, $2, $3)
     ON CONFLICT (id) DO UPDATE SET queues = excluded.queues, providers = excluded.providers, seen_at = now()`,
    [report.id, report.queues, JSON.stringify(report.providers)],
  );
}

/** A worker that ends in an orderly way is not missed. */
export async function removeWorker(database: Database, id: string): Promise<void> {
  await database.rows('DELETE FROM worker WHERE id = $1', [id]);
}

/** Every worker that is alive or was lost not long ago, in the order in which they started. */
export function listWorkers(database: Database): Promise<KnownWorker[]> {
  return database.rows<KnownWorker & Record<string, unknown>>(
    `SELECT id, queues, providers, started_at AS "startedAt", seen_at AS "seenAt",
       seen_at > now() - $1 * interval '1 millisecond' AS alive
     FROM worker WHERE seen_at > now() - $2 * interval '1 millisecond' ORDER BY started_at, id`,
    [LOST_AFTER_MS, FORGOTTEN_AFTER_MS],
  );
}

/** Takes away at most `limit` rows of workers that were lost long ago, and says how many. */
export async function forgetLostWorkers(database: Database, limit: number): Promise<number> {
  const rows = await database.rows(
    `DELETE FROM worker WHERE id IN (
       SELECT id FROM worker WHERE seen_at < now() - $1 * interval '1 millisecond' LIMIT $2)
     RETURNING 1`,
    [FORGOTTEN_AFTER_MS, limit],
  );
  return rows.length;
}

/** What the living workers together make of each provider's account, by name: the worst that any of them has found. */
export function standingsOf(workers: readonly KnownWorker[]): ProviderStanding[] {
  const worst = new Map<string, ProviderStanding>();
  for (const standing of workers.filter(({ alive }) => alive).flatMap(({ providers }) => providers)) {
    const known = worst.get(standing.account);
    const trouble = PROVIDER_TROUBLE.indexOf(standing.state);
    const knownTrouble = known === undefined ? -1 : PROVIDER_TROUBLE.indexOf(known.state);
    const first = trouble === knownTrouble && known !== undefined && standing.since < known.since;
    if (trouble > knownTrouble || first) worst.set(standing.account, standing);
  }
  return [...worst.values()].sort((a, b) => a.account.localeCompare(b.account));
}
