import type { Client, Query } from '../api/client.js';
import { Refused } from '../api/refused.js';
import type { Summary } from '../api/shapes.js';

/** What is new since it was last asked. */
export interface Watch {
  /** Notifications that were not seen yet, or have ended since, the oldest first. */
  look(): Promise<Summary[]>;
}

/** An id is made before its row is committed, so one that is a little older may turn up later. */
const OVERLAP_MS = 10_000;
const MOST_ON_A_PAGE = 200;
/** What comes in faster than this between two looks is not shown whole. */
const MOST_PER_LOOK = 5_000;
/** Open ones that are looked after; the oldest are given up first, such as those for next month. */
const MOST_OPEN = 500;
/** Open ones, older than the list that is read anyway, that are asked for one by one in each look. */
const ASKED_PER_LOOK = 5;

/** Watches the list from `since` on; without it from the newest there is when it first looks. */
export function createWatch(client: Client, filter: Query, since?: Date): Watch {
  /** The status in which each was last shown, of those that may be met again. */
  const shown = new Map<string, { status: string; at: number }>();
  let newest = since?.getTime();
  let isFirst = true;

  async function look(): Promise<Summary[]> {
    const news: Summary[] = [];
    newest ??= await begin();
    const met = new Set<string>();
    const from = isFirst ? newest : newest - OVERLAP_MS;
    const query = { ...filter, from: new Date(Math.max(0, from)).toISOString(), limit: MOST_ON_A_PAGE };
    for await (const one of client.pages<Summary>('/notifications', query)) {
      met.add(one.id);
      if (isNews(one)) news.push(one);
      if (met.size >= MOST_PER_LOOK) break;
    }
    for (const id of olderOpen(met)) {
      const one = await find(id);
      if (one === undefined) shown.delete(id);
      else if (isNews(one)) news.push(summaryOf(one));
      else remember(one);
    }
    for (const one of news) remember(one);
    isFirst = false;
    forget();
    return news.sort((a, b) => timeOf(a) - timeOf(b));
  }

  /** What is there already is not news, but what of it is open may end. */
  async function begin(): Promise<number> {
    let latest = 0;
    for await (const one of client.pages<Summary>('/notifications', { ...filter, limit: MOST_ON_A_PAGE })) {
      latest = Math.max(latest, timeOf(one));
      remember(one);
      if (shown.size >= MOST_ON_A_PAGE) break;
    }
    return latest;
  }

  /** Nothing for one that is not there any more: retention or an erasure may have taken it. */
  async function find(id: string): Promise<Summary | undefined> {
    try {
      return await client.call<Summary>('GET', `/notifications/${encodeURIComponent(id)}`);
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return undefined;
      throw error;
    }
  }

  function isNews({ id, status }: Summary): boolean {
    return shown.get(id)?.status !== status;
  }

  function remember(one: Summary): void {
    // Last in the map again: those that were asked longest ago come first.
    shown.delete(one.id);
    shown.set(one.id, { status: one.status, at: timeOf(one) });
    newest = Math.max(newest ?? 0, timeOf(one));
  }

  function olderOpen(met: ReadonlySet<string>): string[] {
    const open = [...shown].filter(([id, { status }]) => status === 'PENDING' && !met.has(id));
    return open.slice(0, ASKED_PER_LOOK).map(([id]) => id);
  }

  function forget(): void {
    const horizon = (newest ?? 0) - 2 * OVERLAP_MS;
    for (const [id, { status, at }] of shown) if (status !== 'PENDING' && at < horizon) shown.delete(id);
    const open = [...shown].filter(([, { status }]) => status === 'PENDING');
    for (const [id] of open
      .toSorted((a, b) => a[1].at - b[1].at)
      .slice(0, Math.max(0, open.length - MOST_OPEN)))
      shown.delete(id);
  }

  return { look };
}

function timeOf(one: Summary): number {
  return new Date(one.created_at).getTime();
}

/** The details hold the context, which no list shows. */
function summaryOf({
  id,
  user_id,
  event_type,
  status,
  sent_at,
  created_at,
  priority,
  channels,
}: Summary): Summary {
  return { id, user_id, event_type, status, sent_at, created_at, priority, channels };
}
