import type { Database } from '@belfry/shared/ledger/database.js';
import { measureOverdue, measureSilence } from '@belfry/shared/ledger/self-check.js';
import { countUnheard, type Unheard } from '@belfry/shared/ledger/unheard-alerts.js';
import { listWorkers, standingsOf } from '@belfry/shared/ledger/workers.js';
import { QUEUES } from '@belfry/shared/queue/topology.js';
import { failingOf, type Parts, partsUp } from '@belfry/shared/service/parts-up.js';
import { Router } from 'express';
import type { Watched } from '../metrics/fleet-view.js';
import { glanceAt } from '../metrics/glance.js';

/** What a process answers when it is asked how it is. No token: load balancers have none. */
export function healthRoutes(parts: Parts & { readonly mqtt: () => boolean }, watched: Watched): Router {
  const router = Router({ caseSensitive: true });
  const glance = glanceAt(() => fleetOf(parts.database, watched), TIMES);

  /** The process is alive, whatever has become of its databases. */
  router.get('/health', (_req, res) => {
    res.json({ status: 'ok' });
  });

  /**
   * Whether calls should be sent here. Without the database nothing can be accepted: 503. Without the queue, without a worker
   * for some queue, with a provider that does not work, with alerts that are not escalated, or when what the fleet sends to itself
   * does not arrive, or while the fleet cannot be looked at, everything is accepted and delivered later, and without its line to the MQTT broker nothing comes in from
   * there: 200, but degraded. So it is while an open alert has nobody to tell, or
   * nobody has taken a critical one by the end of its escalation.
   */
  router.get('/ready', async (_req, res) => {
    const [needed, glanced] = await Promise.all([partsUp(parts), parts.migrated() ? glance() : null]);
    const usable = needed.database && needed.schema;
    // Without a database nothing is known any more, and it is known why.
    const seen = usable ? glanced : null;
    const { unserved, providers, escalation, canary, untold, exhausted, ...workers } = seen ?? UNKNOWN;
    const up = {
      ...needed,
      fleet: seen !== null || !usable,
      workers: unserved.length === 0,
      providers: providers.length === 0,
      mqtt: parts.mqtt(),
      escalation,
      canary,
      alerts: (untold ?? 0) + (exhausted ?? 0) === 0,
    };
    const failing = failingOf(up);
    const status = failing.length === 0 ? 'ready' : usable ? 'degraded' : 'unavailable';
    if (!usable) res.set('Retry-After', '2');
    const seenAs = { ...workers, unserved, providers, untold, exhausted };
    const body = { status, failing, engine: parts.engine.kind, ...seenAs };
    res.status(usable ? 200 : 503).json(body);
  });

  return router;
}

/** What the ledger knows of the workers and, through them, of the providers. */
async function fleetOf(database: Database, { canaryMs, lateMs }: Watched) {
  const [known, unheard, overdue, silence] = await Promise.all([
    listWorkers(database),
    countUnheard(database),
    measureOverdue(database, lateMs),
    canaryMs === null ? null : measureSilence(database, canaryMs),
  ]);
  const alive = known.filter((worker) => worker.alive);
  const served = new Set(alive.flatMap(({ queues }) => queues));
  return {
    workers: alive.length,
    /** Workers that fell silent and were not told to end. */
    lost: known.length - alive.length,
    /** Queues that no living worker serves. */
    unserved: QUEUES.filter((queue) => !served.has(queue)),
    /** Accounts that do not work. */
    providers: standingsOf(known).filter(({ state }) => state !== 'closed'),
    /** Whether every alert that nobody has taken is escalated in time. */
    escalation: overdue.alerts === 0,
    /** Whether what the fleet sends to itself arrives. */
    canary: silence?.missing !== true,
    ...unheard,
  };
}

/** While the ledger cannot be asked: nothing is said of what is not known, but that it is not. */
const UNKNOWN: Fleet = {
  workers: null,
  lost: null,
  unserved: [],
  providers: [],
  escalation: true,
  canary: true,
  untold: null,
  exhausted: null,
};
type Known = Awaited<ReturnType<typeof fleetOf>>;
type Counts = 'workers' | 'lost' | keyof Unheard;
type Fleet = Omit<Known, Counts> & Record<Counts, number | null>;

/** However many ask, the ledger is asked once a second at most; what is older than three seconds is not known any more. */
const TIMES = { freshMs: 1_000, patienceMs: 2_000, usableMs: 3_000 };
