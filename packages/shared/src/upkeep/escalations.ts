import type { Database } from '../ledger/database.js';
import { type AlarmPlace, countAlarms, isAnyOverdue, pageOfAlarms } from '../ledger/escalations.js';
import { type EscalationParts, overdueStep } from '../notify/escalate.js';
import type { Enqueuer } from '../queue/enqueuer.js';
import { alarmId } from '../queue/escalation-jobs.js';
import type { QueueEngine } from '../queue/queue-engine.js';
import { ESCALATION } from '../queue/topology.js';
import { oneByOne } from '../service/one-by-one.js';
import { withoutJob } from './without-job.js';

const PAGE = 500;
/** How many of the next steps are asked for by name when the counts see nothing missing. */
const FRONT = 50;

interface AlarmParts {
  readonly database: Database;
  readonly engine: QueueEngine;
  readonly enqueuer: Enqueuer;
}

/**
 * Law 2 for escalations: every step that is to be taken within the next day has its alarm clock. All are set anew when the queue
 * has fewer than there are steps, or one of the next is not there. What alerts that are over have left in the queue may hide that
 * a later one is missing: it comes to the front in time, and the second bell does not ask the queue.
 *
 * @param thorough set them whatever the counts say.
 */
export async function wakeEscalations(parts: AlarmParts, thorough: boolean): Promise<void> {
  const { database, enqueuer } = parts;
  if (!thorough && !(await isAnyMissing(parts))) return;
  let place: AlarmPlace | null = null;
  do {
    const { alarms, last }: Awaited<ReturnType<typeof pageOfAlarms>> = await pageOfAlarms(
      database,
      place,
      PAGE,
    );
    if (!(await enqueuer.setAlarms(alarms))) return;
    place = last;
  } while (place !== null);
}

async function isAnyMissing({ database, engine }: AlarmParts): Promise<boolean> {
  const steps = await countAlarms(database);
  if (steps === 0) return false;
  if (steps > (await engine.pending(ESCALATION))) return true;
  const { alarms } = await pageOfAlarms(database, null, FRONT);
  return (await withoutJob(engine, ESCALATION, alarms, alarmId)).length > 0;
}

/** A step so late has lost its alarm clock: with a worker that died, it is held for about nine seconds. */
const OVERDUE_MS = 1_000;
/** Steps of one turn in each of the lanes, and lanes. */
const MOST = 250;
const LANES = 4;

/** Whether there is a step that nobody has taken in time. */
export function isAnyStepOverdue(database: Database): Promise<boolean> {
  return isAnyOverdue(database, OVERDUE_MS);
}

/**
 * The second bell: takes the steps that nobody has taken, those first that have waited the longest. Any number of processes may
 * ring it at once: one that somebody is about to take is left to them, and one that fails keeps no other from being taken.
 */
export async function takeOverdueSteps(parts: EscalationParts): Promise<void> {
  const lane = () =>
    oneByOne(MOST, async (except, turn) => {
      const came = await overdueStep(parts, OVERDUE_MS, except, turn);
      return came.kind === 'taken';
    });
  const lanes = await Promise.allSettled(Array.from({ length: LANES }, lane));
  for (const one of lanes) if (one.status === 'rejected') throw one.reason;
}
