import type { Database } from '@belfry/shared/ledger/database.js';
import { REPORT_MS, removeWorker, reportWorker, type WorkerReport } from '@belfry/shared/ledger/workers.js';
import type { Events } from '@belfry/shared/service/events.js';
import { every, type Running } from '@belfry/shared/service/lifecycle.js';

interface RegistrationParts {
  readonly database: Database;
  readonly events: Events;
  /** What is true of this worker now. */
  readonly report: () => WorkerReport;
}

/** Keeps this worker's row in the ledger for as long as it works, and takes it away at the end. */
export function startRegistration({ database, events, report }: RegistrationParts): Running {
  const write = () =>
    reportWorker(database, report()).catch((error: unknown) =>
      events.connectionFailed({ part: 'database', error }),
    );
  const first = write();
  const again = every(REPORT_MS, write);
  return {
    async stop() {
      await Promise.all([first, again.stop()]);
      // Without the database the row stays, and is forgotten later like that of a lost worker.
      await removeWorker(database, report().id).catch(() => undefined);
    },
  };
}
