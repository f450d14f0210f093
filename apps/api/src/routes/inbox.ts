import { externalId } from '@belfry/shared/channels/fields.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import type { InboxItem } from '@belfry/shared/ledger/inbox.js';
import { countUnread, listInbox, markAllRead, markRead } from '@belfry/shared/ledger/read-inbox.js';
import type { Notifier } from '@belfry/shared/notify/notifier.js';
import { type Request, Router } from 'express';
import { z } from 'zod';
import { allowSelf } from '../middleware/authenticate.js';
import { cursorOf, linkNext, pageLimit } from '../middleware/paging.js';
import { idIn, parse } from '../middleware/parse.js';
import { unknownPerson, withKnown } from './known-person.js';

export const inboxQuery = z.object({
  unread: z
    .enum(['true', 'false'], 'must be true or false')
    .transform((text) => text === 'true')
    .optional()
    .meta({ description: 'Only what has not been read' }),
  limit: pageLimit,
  cursor: cursorOf((text) => /^[1-9]\d{0,14}$/.test(text)).optional(),
});

export interface InboxParts {
  readonly database: Database;
  readonly notifier: Pick<Notifier, 'knows'>;
  /** Called when a person's notes have been read, so that all who show them hear of it. */
  readonly onRead: (personId: string) => void;
}

/** What a person has been told, for the person. */
export function inboxRoutes({ database, notifier, onRead }: InboxParts): Router {
  const router = Router({ caseSensitive: true });
  const self = allowSelf('id');

  router.get('/users/:id/inbox', self, async (req, res) => {
    const person = personIn(req);
    const { unread = false, limit, cursor } = parse(inboxQuery, req.query);
    const before = cursor === undefined ? null : Number(cursor);
    const page = { unread, before, limit: limit + 1 };
    const found = await withKnown(notifier, person, () => listInbox(database, person, page));
    const shown = found.slice(0, limit);
    linkNext(req, res, found.length > limit ? String(shown.at(-1)?.seq) : null);
    res.json(shown.map(shownItem));
  });

  router.get('/users/:id/inbox/unread-count', self, async (req, res) => {
    const person = personIn(req);
    const count = await withKnown(notifier, person, () => countUnread(database, person));
    res.json({ count });
  });

  router.post('/users/:id/inbox/read-all', self, async (req, res) => {
    const person = personIn(req);
    const read = await withKnown(notifier, person, () => markAllRead(database, person));
    onRead(person);
    res.json({ read });
  });

  router.post('/users/:id/inbox/:item/read', self, async (req, res) => {
    const person = personIn(req);
    const id = idIn(req, 'item');
    const item = await markRead(database, person, id);
    if (item === 'unknown_person') throw unknownPerson(person);
    if (item === 'unknown_item') throw unknownItem(id);
    onRead(person);
    res.json(shownItem(item));
  });

  return router;
}

function personIn(req: Request): string {
  return parse(z.object({ id: externalId }), { id: req.params.id }).id;
}

/** It never was in this inbox, or has been pushed out by later ones. */
export function unknownItem(id: string): Refusal {
  return new Refusal('not_found', `There is no ${id} in this inbox.`, { reason: 'unknown_item' });
}

function shownItem({ notificationId, type, title, body, data, priority, createdAt, readAt }: InboxItem) {
  return {
    id: notificationId,
    notification_id: notificationId,
    type,
    title,
    message: body,
    data,
    priority,
    read: readAt !== null,
    read_at: readAt,
    created_at: createdAt,
  };
}
