import type { Database } from '../ledger/database.js';
import { type AlarmPlace, isAnyOverdue, pageOfAlarms } from '../ledger/escalations.js';
import { type EscalationParts, overdueStep } from '../notify/escalate.js';
import type { Enqueuer } from '../queue/enqueuer.js';
import { oneByOne } from '../service/one-by-one.js';

const PAGE = 500;

/** Law 2 for escalations: every step that is to be taken within the next day has its alarm clock. */
export async function wakeEscalations({
  database,
  enqueuer,
}: {
  readonly database: Database;
  readonly enqueuer: Enqueuer;
}): Promise<void> {
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

/** A step so late has lost its alarm clock: with a worker that died, it is held for about nine seconds. */
const OVERDUE_MS = 1_000;
/** Steps of one turn in each of the lanes, and lanes. */
const MOST = 250;
const LANES = 4;

/**
 * The second bell: takes the steps that nobody has taken, the latest first. Any number of processes may ring it at once: one that
 * somebody is about to take is left to them, and one that fails keeps no other from being taken.
 */
export async function takeOverdueSteps(parts: EscalationParts): Promise<void> {
  const lane = () =>
    oneByOne(MOST, async (except, turn) => {
      const came = await overdueStep(parts, OVERDUE_MS, except, turn);
      return came.kind === 'taken';
    });
  if (!(await isAnyOverdue(parts.database, OVERDUE_MS))) return;
  const lanes = await Promise.allSettled(Array.from({ length: LANES }, lane));
  for (const one of lanes) if (one.status === 'rejected') throw one.reason;
}
