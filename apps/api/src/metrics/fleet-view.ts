import type { AlertLevel } from '@belfry/shared/domain/alert.js';
import type { ProviderStanding } from '@belfry/shared/domain/provider-standing.js';
import { measureBroadcasts } from '@belfry/shared/ledger/broadcast-upkeep.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { type LedgerLoad, measureLoad } from '@belfry/shared/ledger/gauges.js';
import {
  measureOverdue,
  measureSilence,
  type Overdue,
  type Silence,
} from '@belfry/shared/ledger/self-check.js';
import { countOpen, countUnheard, type Unheard } from '@belfry/shared/ledger/unheard-alerts.js';
import { listWorkers } from '@belfry/shared/ledger/workers.js';
import type { QueueContent } from '@belfry/shared/queue/queue-book.js';
import type { QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import { QUEUES } from '@belfry/shared/queue/topology.js';
import { type Glance, glanceAt } from './glance.js';

/** What the ledger says of the whole fleet. */
export interface LedgerView {
  readonly load: readonly LedgerLoad[];
  readonly broadcasts: Awaited<ReturnType<typeof measureBroadcasts>>;
  /** One list for each worker that is alive. */
  readonly workers: readonly (readonly ProviderStanding[])[];
  readonly overdue: Overdue;
  /** Open alerts by their level, and those of them that go unheard. */
  readonly alerts: { readonly open: Readonly<Record<AlertLevel, number>>; readonly unheard: Unheard };
  /** Null where nothing is sent to see whether it arrives. */
  readonly silence: Silence | null;
}

/** What the fleet is held to. */
export interface Watched {
  /** Between two canaries; null for none. */
  readonly canaryMs: number | null;
  /** How late a step of an escalation may be. */
  readonly lateMs: number;
}

/** What is in every queue. */
export type QueueView = readonly (readonly [string, QueueContent])[];

/** The whole fleet as a scrape sees it; null for a part that could not be asked in time. */
export interface FleetView {
  readonly ledger: LedgerView | null;
  readonly queues: QueueView | null;
}

/** Asks the ledger and the queues about the whole fleet, seldom enough to be no load. */
export function createFleetView(
  database: Database,
  engine: QueueEngine,
  { canaryMs, lateMs }: Watched,
): () => Promise<FleetView> {
  const ledger: Glance<LedgerView> = glanceAt(async () => {
    const [load, broadcasts, known, overdue, open, unheard, silence] = await Promise.all([
      measureLoad(database),
      measureBroadcasts(database),
      listWorkers(database),
      measureOverdue(database, lateMs),
      countOpen(database),
      countUnheard(database),
      canaryMs === null ? null : measureSilence(database, canaryMs),
    ]);
    return {
      load,
      broadcasts,
      overdue,
      alerts: { open, unheard },
      silence,
      workers: known.filter(({ alive }) => alive).map(({ providers }) => providers),
    };
  });
  const queues: Glance<QueueView> = glanceAt(async () => {
    const seen: (readonly [string, QueueContent])[] = [];
    // One after the other: on PostgreSQL they would take all connections of the engine at once.
    for (const queue of QUEUES) seen.push([queue, await engine.content(queue)]);
    return seen;
  });
  return async () => {
    const [seenLedger, seenQueues] = await Promise.all([ledger(), queues()]);
    return { ledger: seenLedger, queues: seenQueues };
  };
}
