import { ALERT_LEVELS } from '@belfry/shared/domain/alert.js';
import { DELIVERY_QUEUES, queueOf } from '@belfry/shared/queue/topology.js';
import { Gauge, Registry } from '@belfry/shared/service/metrics.js';
import type { FleetView, LedgerView, QueueView } from './fleet-view.js';

const PROVIDER_STATES = ['closed', 'open', 'misconfigured'] as const;

/**
 * The metrics of the whole fleet. They are made anew from every view, so that a part that could not be asked has no
 * series at all, rather than old ones; `belfry_up` says so.
 */
export function fleetMetrics({ ledger, queues }: FleetView): Promise<string> {
  const registry = new Registry();
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: readonly Label[]) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const up = gauge('belfry_up', 'Whether a part could be asked about the fleet at this scrape.', 'part');
  up.set({ part: 'database' }, ledger === null ? 0 : 1);
  up.set({ part: 'queue' }, queues === null ? 0 : 1);
  if (ledger !== null) showLedger(gauge, ledger);
  if (queues !== null) showQueues(gauge, queues);
  return registry.metrics();
}

type MakeGauge = <Label extends string>(
  name: string,
  help: string,
  ...labelNames: readonly Label[]
) => Gauge<Label>;

function showLedger(
  gauge: MakeGauge,
  { load, broadcasts, workers, overdue, alerts, silence }: LedgerView,
): void {
  const open = gauge('belfry_deliveries_open', 'Deliveries of which something is still to be done.', 'queue');
  const due = gauge('belfry_deliveries_due', "Open deliveries that are due and in nobody's hands.", 'queue');
  const oldest = gauge(
    'belfry_oldest_waiting_seconds',
    'How long the first delivery that is due has been waiting for a worker.',
    'queue',
  );
  for (const queue of DELIVERY_QUEUES) {
    const found = load.find((one) => queueOf(one) === queue);
    open.set({ queue }, found?.open ?? 0);
    due.set({ queue }, found?.due ?? 0);
    oldest.set({ queue }, found?.oldestSeconds ?? 0);
  }
  const running = gauge('belfry_broadcasts_open', 'Broadcasts that have not ended.', 'status');
  const left = gauge(
    'belfry_broadcast_people_left',
    'People whom the broadcasts that have not ended have not come to yet.',
    'status',
  );
  for (const status of ['scheduled', 'running', 'paused'] as const) {
    const found = broadcasts.find((one) => one.status === status);
    running.set({ status }, found?.count ?? 0);
    left.set({ status }, found?.left ?? 0);
  }
  gauge('belfry_alerts_overdue', 'Open alerts whose next step should have been taken by now.').set(
    overdue.alerts,
  );
  showAlerts(gauge, alerts);
  if (silence !== null)
    gauge(
      'belfry_dead_man_seconds',
      'How long ago the last notification arrived that the fleet sent to itself.',
    ).set(silence.seconds);
  gauge('belfry_workers_alive', 'Workers that the ledger has heard of within 20 s.').set(workers.length);
  const accounts = gauge(
    'belfry_provider_accounts',
    'Workers that find a provider account in this state.',
    'channel',
    'account',
    'state',
  );
  for (const { channel, account, state } of workers.flat()) {
    for (const one of PROVIDER_STATES) accounts.inc({ channel, account, state: one }, one === state ? 1 : 0);
  }
}

function showAlerts(gauge: MakeGauge, alerts: LedgerView['alerts']): void {
  const open = gauge('belfry_alerts_open', 'Alerts that nobody has acknowledged.', 'level');
  for (const level of ALERT_LEVELS) open.set({ level }, alerts.open[level]);
  const unheard = gauge(
    'belfry_alerts_unheard',
    'Open alerts that told nobody, and critical ones whose escalation has come to its end.',
    'why',
  );
  for (const why of ['untold', 'exhausted'] as const) unheard.set({ why }, alerts.unheard[why]);
}

function showQueues(gauge: MakeGauge, queues: QueueView): void {
  const jobs = gauge('belfry_queue_jobs', 'Jobs in a queue, by their state.', 'queue', 'state');
  const paused = gauge('belfry_queue_paused', 'Whether an operator has paused a queue.', 'queue');
  for (const [queue, content] of queues) {
    for (const [state, count] of Object.entries(content.jobs)) jobs.set({ queue, state }, count);
    paused.set({ queue }, content.paused ? 1 : 0);
  }
}
