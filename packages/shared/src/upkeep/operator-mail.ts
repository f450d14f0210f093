import { newId } from '../domain/ids.js';
import type { OperatorMail } from '../domain/operator-mail.js';
import { acceptWithin, type NewNotification } from '../ledger/accept.js';
import type { Database } from '../ledger/database.js';
import { type DeathCount, type OperatorReport, REPORT, takeReport } from '../ledger/operator-report.js';
import { retryTransient } from '../ledger/retry-transient.js';
import { noteToOperator } from '../notify/note-to-operator.js';
import { seedsOf } from '../notify/notifier.js';
import type { Enqueuer } from '../queue/enqueuer.js';

const MOST_GROUPS = 20;

/**
 * Writes a mail to the operator when deliveries were given up for good since the last one: an ordinary notification, in
 * one transaction with the mark up to where everything has been counted. Nothing of it names a person or quotes a text.
 *
 * @returns how many deliveries it tells of; 0 when there was no mail to write.
 */
export async function mailOperator(
  { database, enqueuer }: { readonly database: Database; readonly enqueuer: Enqueuer },
  { to, everyMs }: OperatorMail,
): Promise<number> {
  const written = await retryTransient(() =>
    database.transaction(async (transaction) => {
      const report = await takeReport(transaction, everyMs);
      if (report === null) return null;
      const mail = mailOf(report, to, everyMs);
      await acceptWithin(transaction, [{ requestId: newId(), notifications: [mail], answer: null }]);
      return { total: report.total, mail };
    }),
  );
  if (written === null) return 0;
  // Should this process die here, the reconciler finds the row and makes its job.
  enqueuer.enqueue(seedsOf(written.mail));
  return written.total;
}

function mailOf(report: OperatorReport, to: string, everyMs: number): NewNotification {
  return noteToOperator(to, {
    type: REPORT.type,
    title: `Belfry: ${deliveries(report.total)} given up for good`,
    lines: linesOf(report, everyMs),
    priority: 'high',
  });
}

function linesOf({ from, to, total, groups, newest }: OperatorReport, everyMs: number): string[] {
  const others = groups.slice(MOST_GROUPS).reduce((sum, { count }) => sum + count, 0);
  return [
    `Between ${from.toISOString()} and ${to.toISOString()}, ${deliveries(total)} failed and will not be tried again by themselves:`,
    '',
    ...groups.slice(0, MOST_GROUPS).map(lineOf),
    ...(others > 0 ? [`${others} of other kinds`] : []),
    '',
    'The newest of them:',
    ...newest.map((id) => `  ${id}`),
    '',
    'GET /api/v1/dead-letters shows each of them with its last attempt. Once the cause is mended,',
    'POST /api/v1/dead-letters/replay sends them again.',
    '',
    `The next such mail comes in ${spanOf(everyMs)} at the earliest, and counts what fails until then.`,
  ];
}

function lineOf({ count, class: failure, channel, provider, reason }: DeathCount): string {
  return `${count} × ${failure}: ${channel} by ${provider ?? 'no provider'}, ${reason ?? 'no reason'}`;
}

function deliveries(count: number): string {
  return count === 1 ? '1 delivery' : `${count} deliveries`;
}

function spanOf(ms: number): string {
  return ms < 120_000 ? `${Math.round(ms / 1_000)} seconds` : `${Math.round(ms / 60_000)} minutes`;
}
