import type { AlertLimits } from '../domain/alert-limit.js';
import type { OperatorMail } from '../domain/operator-mail.js';
import type { Database } from '../ledger/database.js';
import { forgetOldKeys, takeTurn } from '../ledger/waiting.js';
import { forgetLostWorkers } from '../ledger/workers.js';
import { missHeartbeats } from '../notify/miss-heartbeats.js';
import type { QueueEngine } from '../queue/queue-engine.js';
import { retryAll } from '../queue/retry-all.js';
import { every, type Running } from '../service/lifecycle.js';
import { settleBroadcasts } from './broadcasts.js';
import { isAnyStepOverdue, takeOverdueSteps } from './escalations.js';
import { mailOperator } from './operator-mail.js';
import { createPruner } from './prune.js';
import { type ReconcileParts, reconcile, reconcileCritical } from './reconcile.js';
import { type Turn, takeTurns } from './turns.js';

export interface UpkeepOptions {
  readonly sweepIntervalMs: number;
  readonly retrySweepMs: number;
  /** Who is told when something is given up for good; null for nobody. */
  readonly operatorMail: OperatorMail | null;
  /** Milliseconds between the steps of the built-in policy, for the alerts of heartbeats that are missed. */
  readonly escalationStepMs: number;
  /** How many messages about alerts may reach one person. */
  readonly alertLimits: AlertLimits;
  /** How long ended notifications are kept; null for ever. */
  readonly retentionDays: number | null;
}

const AT_ONCE = 1_000;
const KEYS_INTERVAL_MS = 60_000;
const PRUNE_INTERVAL_MS = 5_000;
const WORKERS_INTERVAL_MS = 60_000;
const BROADCASTS_INTERVAL_MS = 2_000;
const HEARTBEATS_INTERVAL_MS = 1_000;
const CRITICAL_INTERVAL_MS = 1_000;
const SECOND_BELL_MS = 500;
/** How often the engine is asked whether it is there. */
const WATCH_MS = 500;

/**
 * What keeps a fleet whole without anyone's help. Every worker runs this loop; for each task the ledger lets one of
 * them have the turn, so a task is done once per fleet and interval, and goes on when a worker dies.
 */
export function startUpkeep(parts: ReconcileParts, options: UpkeepOptions): Running {
  const { database, events } = parts;
  const turns: Turn[] = [
    { task: 'reconcile', everyMs: options.sweepIntervalMs, run: () => reconcile(parts) },
    { task: 'reconcile-critical', everyMs: CRITICAL_INTERVAL_MS, run: () => reconcileCritical(parts) },
    { task: 'retry-sweep', everyMs: options.retrySweepMs, run: () => beginRounds(parts) },
    { task: 'forget-keys', everyMs: KEYS_INTERVAL_MS, run: () => untilFew(forgetOldKeys, database) },
    {
      task: 'forget-workers',
      everyMs: WORKERS_INTERVAL_MS,
      run: () => untilFew(forgetLostWorkers, database),
    },
    { task: 'broadcasts', everyMs: BROADCASTS_INTERVAL_MS, run: () => settleBroadcasts(parts) },
    {
      task: 'heartbeats',
      everyMs: HEARTBEATS_INTERVAL_MS,
      run: () => missHeartbeats({ ...parts, ...options }),
    },
  ];
  if (options.retentionDays !== null) turns.push(pruning(parts, options.retentionDays));
  const loops = [takeTurns(database, events, turns), watchReturn(parts), ringSecondBell(parts, options)];
  if (options.operatorMail !== null) loops.push(tellOperator(parts, options.operatorMail));
  return {
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}

async function beginRounds(parts: ReconcileParts): Promise<void> {
  const deliveries = await retryAll(parts, { includeWaiting: false, actor: null });
  if (deliveries > 0) parts.events.retried({ deliveries, by: 'sweep' });
}

/** Removes what is old, so many at a time, until there is less than that left. */
async function untilFew(
  remove: (database: Database, limit: number) => Promise<number>,
  database: Database,
): Promise<void> {
  while ((await remove(database, AT_ONCE)) === AT_ONCE);
}

/**
 * Every worker rings it, without a turn: whoever had the turn may die with it. Not while the engine is away: what a step writes
 * could not leave, and a policy would be over before anybody was told.
 */
function ringSecondBell(parts: ReconcileParts, options: UpkeepOptions): Running {
  const { engine, events } = parts;
  return every(SECOND_BELL_MS, async () => {
    try {
      if (!(await isAnyStepOverdue(parts.database)) || !(await answers(engine))) return;
      await takeOverdueSteps({ ...parts, ...options });
    } catch (error) {
      events.upkeepFailed({ task: 'escalations', error });
    }
  });
}

function answers(engine: QueueEngine): Promise<boolean> {
  return engine.ping().then(
    () => true,
    () => false,
  );
}

function pruning({ database, events }: ReconcileParts, days: number): Turn {
  const prune = createPruner(database, days);
  return {
    task: 'prune',
    everyMs: PRUNE_INTERVAL_MS,
    run: async () => {
      const notifications = await prune();
      if (notifications > 0) events.pruned({ notifications });
    },
  };
}

/** The first failure after a quiet time is told within this time and what a report waits for; later ones have to wait. */
const TELL_MS = 5_000;

/** Whose turn it is and since when is decided in the ledger, in the transaction that writes the mail. */
function tellOperator(parts: ReconcileParts, options: OperatorMail): Running {
  return every(TELL_MS, async () => {
    try {
      const deliveries = await mailOperator(parts, options);
      if (deliveries > 0) parts.events.operatorTold({ deliveries });
    } catch (error) {
      parts.events.upkeepFailed({ task: 'operator-mail', error });
    }
  });
}

/**
 * What was accepted while the queues were away need not wait for the next sweep, nor for the grace that a sweep gives: as
 * soon as the engine answers again, every row without a job gets one.
 */
function watchReturn(parts: ReconcileParts): Running {
  let away = false;
  return every(WATCH_MS, async () => {
    const here = await answers(parts.engine);
    try {
      const returned = away && here;
      if (returned && (await takeTurn(parts.database, 'reconcile-on-return', WATCH_MS))) {
        await reconcile(parts, { graceMs: 0 });
      }
      away = !here;
    } catch (error) {
      parts.events.upkeepFailed({ task: 'reconcile-on-return', error });
    }
  });
}
