import type { Status } from '@belfry/shared/domain/delivery-state.js';

type Count = { SENT: number; FAILED: number; PENDING: number; CANCELLED: number };

/** How many notifications there are, by status and by event. */
export interface Stats {
  readonly total_notifications: number;
  readonly total_sent: number;
  readonly total_failed: number;
  readonly total_pending: number;
  readonly total_cancelled: number;
  readonly by_status: Count;
  readonly by_event_type: Readonly<Record<string, Count>>;
}

/** What has no event is counted under this name. */
const NO_EVENT = 'none';

export function statsOf(rows: readonly { eventType: string | null; status: Status; count: number }[]): Stats {
  const byStatus = none();
  const byEvent = new Map<string, Count>();
  for (const { eventType, status, count } of rows) {
    const event = byEvent.get(eventType ?? NO_EVENT) ?? none();
    byEvent.set(eventType ?? NO_EVENT, event);
    event[status] += count;
    byStatus[status] += count;
  }
  return {
    total_notifications: byStatus.SENT + byStatus.FAILED + byStatus.PENDING + byStatus.CANCELLED,
    total_sent: byStatus.SENT,
    total_failed: byStatus.FAILED,
    total_pending: byStatus.PENDING,
    total_cancelled: byStatus.CANCELLED,
    by_status: byStatus,
    by_event_type: Object.fromEntries(byEvent),
  };
}

function none(): Count {
  return { SENT: 0, FAILED: 0, PENDING: 0, CANCELLED: 0 };
}

const LONGEST_BAR = 40;

/**
 * The same as bars of text, all on one scale: forty strokes at most, and one at least for what is not zero. What was
 * cancelled has a bar as well, as soon as there is something: then the bars below the first add up to it.
 */
export function barsOf(stats: Stats): string {
  const bars = [
    ['Total', stats.total_notifications],
    ['Sent', stats.total_sent],
    ['Failed', stats.total_failed],
    ['Pending', stats.total_pending],
    ...(stats.total_cancelled > 0 ? [['Cancelled', stats.total_cancelled] as const] : []),
  ] as const;
  const scale = LONGEST_BAR / Math.max(LONGEST_BAR, ...bars.map(([, count]) => count));
  const width = Math.max(...bars.map(([name]) => name.length)) + 2;
  const lines = bars.map(([name, count]) => {
    const strokes = count === 0 ? 0 : Math.max(1, Math.round(count * scale));
    return `${`${name}:`.padEnd(width)}${'|'.repeat(strokes)}${strokes > 0 ? ' ' : ''}${count}`;
  });
  return `${lines.join('\n')}\n`;
}
