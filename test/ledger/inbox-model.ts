import type { Database } from '@belfry/shared/ledger/database.js';
import { INBOX_SIZE, putInInboxes } from '@belfry/shared/ledger/inbox.js';
import { countUnread, listInbox, markAllRead, markRead } from '@belfry/shared/ledger/read-inbox.js';
import type { Note } from './notes.js';

/** What somebody does to an inbox. */
export type Act =
  | { readonly kind: 'put'; readonly notes: readonly Note[] }
  | { readonly kind: 'read'; readonly person: string; readonly notificationId: string }
  | { readonly kind: 'read all' | 'count' | 'list'; readonly person: string };

/** The inboxes as they should be: a person's notes, the newest last. */
export type Model = Readonly<Record<string, readonly Kept[]>>;

interface Kept {
  readonly deliveryId: string;
  readonly notificationId: string;
  readonly read: boolean;
}

/** What an act tells whoever does it, in a form that can be compared. */
export type Told = string;

/** Does it in the ledger. */
export async function act(database: Database, one: Act): Promise<Told> {
  switch (one.kind) {
    case 'put':
      await putInInboxes(database, one.notes);
      return 'put';
    case 'read': {
      const item = await markRead(database, one.person, one.notificationId);
      return typeof item === 'object' && item.readAt !== null ? 'read' : String(item);
    }
    case 'read all':
      return String(await markAllRead(database, one.person));
    case 'count':
      return String(await countUnread(database, one.person));
    case 'list': {
      const items = await listInbox(database, one.person, { unread: false, before: null, limit: 200 });
      return shown((items ?? []).map((item) => ({ ...item, read: item.readAt !== null })));
    }
  }
}

/** Does it in the model: what it tells, and what is there afterwards. */
export function step(model: Model, one: Act): readonly [told: Told, after: Model] {
  if (one.kind === 'put') {
    const fresh = one.notes.filter(({ to, deliveryId }) => !has(model, to, deliveryId));
    return ['put', fresh.toSorted(byDelivery).reduce(put, model)];
  }
  const kept = model[one.person] ?? [];
  const unread = kept.filter(({ read }) => !read).length;
  switch (one.kind) {
    case 'read': {
      const there = kept.some(({ notificationId }) => notificationId === one.notificationId);
      const after = kept.map((note) =>
        note.notificationId === one.notificationId ? { ...note, read: true } : note,
      );
      return [there ? 'read' : 'unknown_item', { ...model, [one.person]: after }];
    }
    case 'read all':
      return [String(unread), { ...model, [one.person]: kept.map((note) => ({ ...note, read: true })) }];
    case 'count':
      return [String(unread), model];
    case 'list':
      return [shown(kept.toReversed()), model];
  }
}

/**
 * An order in which these acts, one after the other, would have told all that was told and left all as it was left; undefined
 * when there is none.
 */
export function orderOf(
  before: Model,
  acts: readonly Act[],
  told: readonly Told[],
  after: Model,
): number[] | undefined {
  const find = (model: Model, left: readonly number[]): number[] | undefined => {
    if (left.length === 0) return same(model, after) ? [] : undefined;
    for (const index of left) {
      const one = acts[index];
      if (one === undefined) continue;
      const [said, next] = step(model, one);
      if (said !== told[index]) continue;
      const rest = find(
        next,
        left.filter((other) => other !== index),
      );
      if (rest !== undefined) return [index, ...rest];
    }
    return undefined;
  };
  return find(before, [...acts.keys()]);
}

function put(model: Model, { to, deliveryId, notificationId }: Note): Model {
  if (has(model, to, deliveryId)) return model;
  const kept = [...(model[to] ?? []), { deliveryId, notificationId, read: false }];
  return { ...model, [to]: kept.slice(-INBOX_SIZE) };
}

/** Whether a note is in a person's inbox. */
export function has(model: Model, person: string, deliveryId: string): boolean {
  return model[person]?.some((note) => note.deliveryId === deliveryId) === true;
}

function byDelivery(one: Note, other: Note): number {
  return one.deliveryId < other.deliveryId ? -1 : 1;
}

function same(one: Model, other: Model): boolean {
  return Object.keys(one).every((person) => shown(one[person] ?? []) === shown(other[person] ?? []));
}

function shown(items: readonly { readonly notificationId: string; readonly read: boolean }[]): Told {
  return items.map(({ notificationId, read }) => `${notificationId}${read ? ' read' : ''}`).join('\n');
}
