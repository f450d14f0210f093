import type { Database } from '../ledger/database.js';
import { type AlarmPlace, overdueAlerts, pageOfAlarms } from '../ledger/escalations.js';
import { type EscalationParts, escalationStep } from '../notify/escalate.js';
import type { Enqueuer } from '../queue/enqueuer.js';

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
const OVERDUE_MS = 2_000;
/** Steps of one turn, and of those at once. */
const MOST = 100;
const AT_ONCE = 4;

/**
 * The second bell: takes the steps that nobody has taken, whatever has become of the queue. One that somebody is about to take
 * is left to them, and one that fails keeps no other from being taken.
 */
export async function takeOverdue(parts: EscalationParts): Promise<void> {
  const late = [...(await overdueAlerts(parts.database, OVERDUE_MS, MOST))];
  const take = async () => {
    for (let id = late.shift(); id !== undefined; id = late.shift())
      await escalationStep(parts, id, { step: null, wait: false }).catch((error: unknown) =>
        parts.events.escalationFailed({ alertId: String(id), error }),
      );
  };
  await Promise.all(Array.from({ length: AT_ONCE }, take));
}
