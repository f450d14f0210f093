import { externalId, priority, record } from '@belfry/shared/channels/fields.js';
import { directoryUnavailable } from '@belfry/shared/directory/directory.js';
import { z } from 'zod';
import { inboxQuery, unknownItem } from '../routes/inbox.js';
import { unknownPerson } from '../routes/known-person.js';
import { nextPage } from './headers.js';
import { json, type Topic } from './operation.js';
import { AT, ID, id, instant, LATER } from './shapes.js';

const item = z
  .object({
    id,
    notification_id: id.meta({ description: 'The same as `id`' }),
    type: z.string().meta({ description: 'A word for the application that shows it' }),
    title: z.string(),
    message: z.string(),
    data: record,
    priority,
    read: z.boolean(),
    read_at: instant.nullable().meta({ description: 'When it was first read; null while it is unread' }),
    created_at: instant,
  })
  .meta({ id: 'InboxItem', description: 'A notification as it stands in the inbox.' });

const counted = z
  .object({ count: z.int().min(0).max(100).meta({ description: 'How many are unread' }) })
  .meta({ id: 'UnreadCount' });

const allRead = z
  .object({ read: z.int().min(0).meta({ description: 'How many were unread until now' }) })
  .meta({ id: 'AllRead' });

const who = ['admin', 'self'] as const;
const byPerson = z.object({
  id: externalId.meta({ description: 'The person', param: { example: 'abebe' } }),
});
const byItem = byPerson.extend({
  item: id.meta({ description: 'The notification', param: { example: ID } }),
});

const UNREAD = {
  id: ID,
  notification_id: ID,
  type: 'info',
  title: 'Keys',
  message: 'Your keys are ready.',
  data: { door: 'B' },
  priority: 'normal',
  read: false,
  read_at: null,
  created_at: AT,
};
const READ = { ...UNREAD, read: true, read_at: LATER };

export const inbox: Topic = {
  name: 'Inbox',
  description:
    'What a person has been told in the application itself: the last hundred. Each person sees their own; `/inbox` is a page that shows it.',
  operations: [
    {
      id: 'listInbox',
      method: 'get',
      path: '/api/v1/users/{id}/inbox',
      who,
      summary: "A person's notifications, the newest first",
      params: byPerson,
      query: inboxQuery,
      answers: {
        200: {
          description: 'A page of them',
          headers: { Link: nextPage },
          content: json(z.array(item), { page: [UNREAD, READ] }),
        },
      },
      refusals: [unknownPerson('nobody'), directoryUnavailable()],
    },
    {
      id: 'countUnread',
      method: 'get',
      path: '/api/v1/users/{id}/inbox/unread-count',
      who,
      summary: 'How many of them are unread',
      params: byPerson,
      answers: { 200: { description: 'The count', content: json(counted, { some: { count: 3 } }) } },
      refusals: [unknownPerson('nobody'), directoryUnavailable()],
    },
    {
      id: 'readInbox',
      method: 'post',
      path: '/api/v1/users/{id}/inbox/read-all',
      who,
      summary: 'Mark all of them as read',
      params: byPerson,
      answers: { 200: { description: 'All are read', content: json(allRead, { some: { read: 3 } }) } },
      refusals: [unknownPerson('nobody'), directoryUnavailable()],
    },
    {
      id: 'readInboxItem',
      method: 'post',
      path: '/api/v1/users/{id}/inbox/{item}/read',
      who,
      summary: 'Mark one as read',
      description: 'Twice is as once: `read_at` stays.',
      params: byItem,
      answers: { 200: { description: 'It is read', content: json(item, { read: READ }) } },
      refusals: [unknownPerson('nobody'), unknownItem(ID)],
    },
  ],
};
