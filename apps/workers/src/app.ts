import type { OpenProvider } from '@belfry/channels/providers.js';
import { createSender } from '@belfry/channels/send.js';
import { linksOf } from '@belfry/shared/config/acknowledge-settings.js';
import { alertLimitsOf } from '@belfry/shared/config/alert-settings.js';
import { operatorMailOf } from '@belfry/shared/config/operator-settings.js';
import type { WorkerSettings } from '@belfry/shared/config/settings.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import type { Enqueuer } from '@belfry/shared/queue/enqueuer.js';
import type { JobProcessor, QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import { type ChosenQueues, ESCALATION, FANOUT, namesOf } from '@belfry/shared/queue/topology.js';
import type { Events } from '@belfry/shared/service/events.js';
import type { Running } from '@belfry/shared/service/lifecycle.js';
import type { Tracing } from '@belfry/shared/service/tracing.js';
import { within } from '@belfry/shared/service/within.js';
import type { Catalogue } from '@belfry/shared/templates/catalogue.js';
import { createRenderer } from '@belfry/shared/templates/render.js';
import { createClaims } from './claims.js';
import { concurrencyFor } from './concurrency.js';
import { createHoldBack } from './hold-back.js';
import { createLeases } from './leases.js';
import { createDeliver } from './processors/deliver.js';
import { createEscalate } from './processors/escalate.js';
import { createFanOut } from './processors/fan-out.js';
import { createRecorder } from './recorder.js';
import { startRegistration } from './registration.js';
import { createRenderStage } from './render-stage.js';
import { superviseWorker } from './supervised-worker.js';

export interface WorkerParts {
  readonly settings: WorkerSettings;
  /** This process among all workers: leases carry it. */
  readonly owner: string;
  readonly database: Database;
  readonly engine: QueueEngine;
  readonly enqueuer: Enqueuer;
  readonly catalogue: Catalogue;
  readonly providers: readonly OpenProvider[];
  readonly events: Events;
  readonly tracing: Tracing;
  /** Stops with the workers. */
  readonly upkeep: Running;
  /** What this process serves. */
  readonly chosen: ChosenQueues;
}

/*
 * When stopping: how long BullMQ's workers may take to close with nothing in hand (they never do while Redis is down),
 * how long what is in hand may take to end by itself, and then how long it has to say how far it came.
 */
const CLOSE_MS = 1_500;
const FINISH_MS = 4_500;
const ABANDON_MS = 1_000;

/** Broadcasts that one process works on at once. */
const FANOUTS = 2;
/** Steps of escalations that one process takes at once. */
const ESCALATIONS = 4;
/** Chunks that may wait to be sent before another one is written. */
const CHUNKS_OPEN = 4;

/** Starts a BullMQ worker for each queue, all of them on one claim batcher, one recorder and one set of leases. */
export function startWorkers(parts: WorkerParts): Running {
  const { settings, owner, database, engine, enqueuer, events, chosen } = parts;
  const policy = {
    maxAttempts: settings.MAX_ATTEMPTS,
    baseMs: settings.RETRY_BASE_MS,
    holdMs: settings.RETRY_SWEEP_MS,
  };
  const alertLimits = alertLimitsOf(settings);
  const leases = createLeases(database, owner, events);
  const sender = createSender({
    providers: parts.providers,
    holdMs: settings.RETRY_SWEEP_MS,
    makeLimiter: engine.limiter,
    onStanding: events.providerChanged,
    onUncarried: (channel) => events.uncarried({ channel }),
  });
  const deliver = createDeliver({
    claims: createClaims(database, owner),
    leases,
    render: createRenderStage(createRenderer(parts.catalogue), {
      links: linksOf(settings),
      answers: settings.SMS_ANSWERS === 'on',
    }),
    sender,
    recorder: createRecorder(database, owner, events),
    policy,
    holdBack: createHoldBack({
      database,
      owner,
      catalogue: parts.catalogue,
      enqueuer,
      alertLimits,
    }),
    guard: {
      poisonAfter: settings.POISON_AFTER,
      mandatory: (event) => parts.catalogue.definition(event)?.mandatory ?? [],
    },
    events,
    tracing: parts.tracing,
  });
  const registration = startRegistration({
    database,
    events,
    report: () => ({
      id: owner,
      queues: namesOf(chosen),
      providers: sender.standings(),
    }),
  });
  let inHand = 0;
  const counted =
    (process: JobProcessor): JobProcessor =>
    async (job, token) => {
      inHand += 1;
      try {
        await process(job, token);
      } finally {
        inHand -= 1;
      }
    };
  const workers = chosen.queues.map((queue) =>
    superviseWorker(() =>
      engine.work(queue, counted(deliver), { concurrency: concurrencyFor(queue, settings) }),
    ),
  );
  const stopping = new AbortController();
  if (chosen.escalation) {
    const operatorMail = operatorMailOf(settings);
    const parts = { database, enqueuer, events, operatorMail, alertLimits };
    const escalate = counted(createEscalate(parts));
    workers.push(superviseWorker(() => engine.work(ESCALATION, escalate, { concurrency: ESCALATIONS })));
  }
  if (chosen.fanout) {
    const chunk = settings.BROADCAST_CHUNK;
    const bounds = { chunk, open: CHUNKS_OPEN * chunk };
    const fanOut = counted(createFanOut({ database, enqueuer, events }, bounds, stopping.signal));
    workers.push(superviseWorker(() => engine.work(FANOUT, fanOut, { concurrency: FANOUTS })));
  }
  let stopped: Promise<void> | undefined;

  async function stop(): Promise<void> {
    stopping.abort();
    const closed = Promise.all([parts.upkeep.stop(), ...workers.map((worker) => worker.stop())]);
    const ended = (await within(CLOSE_MS, closed)) || inHand === 0 || (await within(FINISH_MS, closed));
    if (!ended) {
      leases.abandon();
      await within(ABANDON_MS, closed);
    }
    await within(500, Promise.all([leases.stop(), registration.stop()]));
    await within(500, Promise.all(parts.providers.map(({ provider }) => provider.close())));
  }

  return {
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}
