import { newId } from '../domain/ids.js';
import type { OperatorMail } from '../domain/operator-mail.js';
import { acceptWithin } from '../ledger/accept.js';
import type { Database } from '../ledger/database.js';
import { retryTransient } from '../ledger/retry-transient.js';
import { beginIncident, endIncidents, INCIDENTS, type Incident } from '../ledger/self-check.js';
import { noteToOperator } from '../notify/note-to-operator.js';
import { seedsOf } from '../notify/notifier.js';
import type { Enqueuer } from '../queue/enqueuer.js';

/** What is wrong with the fleet now, with a sentence on each. */
export type Found = Readonly<Partial<Record<Incident, string>>>;

const TITLES: Readonly<Record<Incident, string>> = {
  alerts_overdue: 'Belfry does not escalate open alerts',
  canary_missing: 'What Belfry sends to itself does not arrive',
};

/**
 * Writes the operator a critical mail of each thing that is wrong and was not before: in one transaction with that it was told.
 * It goes the way of every mail, so when no worker sends any, it leaves when one does; whoever has to hear of that needs somebody
 * outside.
 */
export async function mailIncidents(
  { database, enqueuer }: { readonly database: Database; readonly enqueuer: Pick<Enqueuer, 'enqueue'> },
  { to, everyMs }: OperatorMail,
  found: Found,
): Promise<void> {
  await endIncidents(
    database,
    INCIDENTS.filter((incident) => found[incident] === undefined),
  );
  for (const incident of INCIDENTS) {
    const sentence = found[incident];
    if (sentence === undefined) continue;
    const mail = noteToOperator(to, {
      type: incident,
      title: TITLES[incident],
      lines: [
        sentence,
        '',
        'GET /ready and the logs of the workers say more. Once it is well again and comes back, it is told again.',
      ],
      priority: 'critical',
    });
    const told = await retryTransient(() =>
      database.transaction(async (transaction) => {
        if (!(await beginIncident(transaction, incident, everyMs))) return false;
        await acceptWithin(transaction, [{ requestId: newId(), notifications: [mail], answer: null }]);
        return true;
      }),
    );
    if (told) enqueuer.enqueue(seedsOf(mail));
  }
}
