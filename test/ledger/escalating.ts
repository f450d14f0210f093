import type { AlertLevel, EscalationPolicy, EscalationStep } from '@belfry/shared/domain/alert.js';
import type { AlertLimits } from '@belfry/shared/domain/alert-limit.js';
import { newId } from '@belfry/shared/domain/ids.js';
import type { AlertRow } from '@belfry/shared/ledger/alerts.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { putPolicy } from '@belfry/shared/ledger/escalation-policies.js';
import type { Alarm } from '@belfry/shared/ledger/escalations.js';
import type { JobSeed } from '@belfry/shared/ledger/waiting.js';
import { escalationStep } from '@belfry/shared/notify/escalate.js';
import { type RaisedAlert, raiseAlert } from '@belfry/shared/notify/raise-alert.js';
import type { Enqueuer } from '@belfry/shared/queue/enqueuer.js';
import { SILENT } from './with-engine.js';
import { OPS } from './with-ledger.js';

/** Where the operator reads mail. */
export const OPERATOR = 'operator@example.org';

/**
 * Raises alerts and takes steps as the processes do, without any queue: what would be put into one is kept here. The operator
 * gets a mail each time, unless `everyMs` says otherwise. Nothing is held back, unless there are limits.
 */
export function escalatingOn({
  everyMs = 0,
  alertLimits = {},
}: {
  readonly everyMs?: number;
  readonly alertLimits?: AlertLimits;
} = {}) {
  const alarms: Alarm[] = [];
  const seeds: JobSeed[] = [];
  const enqueuer: Enqueuer = {
    enqueue: (given) => void seeds.push(...given),
    enqueueNow: async () => true,
    setAlarms: async (given) => alarms.push(...given) > 0,
    idle: async () => undefined,
  };
  const partsOf = (database: Database) => ({
    database,
    enqueuer,
    events: SILENT,
    escalationStepMs: 60_000,
    operatorMail: { to: OPERATOR, everyMs },
    alertLimits,
  });
  return {
    alarms,
    seeds,
    partsOf,
    /** Raises an alert, which has to be opened. */
    async raise(database: Database, given: Partial<RaisedAlert> = {}): Promise<AlertRow> {
      const raising = await raiseAlert(partsOf(database), { ...ALERT, ...given }, () => null);
      if (raising.kind !== 'raised' || !raising.opened) throw new Error('It was not opened.');
      return raising.alert;
    },
    /** Takes the next step, whichever it is. */
    step: (database: Database, alertId: string, step: number | null = null) =>
      escalationStep(partsOf(database), alertId, step),
  };
}

/** One that is raised, when nothing else is said of it. */
export const ALERT: RaisedAlert = {
  type: 'disk_full',
  level: 'critical' satisfies AlertLevel,
  severity: 'critical',
  message: 'The disk is full.',
  source: 'db01',
  affectedSystems: ['db'],
  dedupKey: null,
  details: {},
  caller: 'monitor',
  policy: null,
};

/** Writes a policy, whose people and groups have to be there. */
export async function writePolicy(
  database: Database,
  steps: readonly EscalationStep[],
  { name = newId(), repeat = 0 } = {},
): Promise<EscalationPolicy> {
  const put = await putPolicy(database, { name, steps, repeat }, OPS);
  if (put.kind === 'refused') throw new Error(put.errors.map(({ message }) => message).join(' '));
  return put.policy;
}

/** One line of an alert's timeline. */
export interface TimelineRow {
  readonly kind: string;
  readonly at: Date;
  readonly step: number | null;
  readonly person_id: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly [column: string]: unknown;
}

/** The timeline of an alert, the oldest first. */
export function timelineOf(database: Database, alertId: string): Promise<TimelineRow[]> {
  return database.rows<TimelineRow>('SELECT * FROM alert_event WHERE alert_id = $1 ORDER BY id', [alertId]);
}
