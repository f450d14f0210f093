import { channel, externalId, moment, priority } from '@belfry/shared/channels/fields.js';
import { CHANNELS } from '@belfry/shared/domain/channel.js';
import { STATUSES } from '@belfry/shared/domain/delivery-state.js';
import { isId, UUID } from '@belfry/shared/domain/ids.js';
import { maskAddressOn } from '@belfry/shared/domain/mask.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import {
  countNotifications,
  findNotification,
  listNotifications,
  type NotificationRecord,
  type NotificationSummary,
} from '@belfry/shared/ledger/notifications.js';
import { type Request, Router } from 'express';
import { z } from 'zod';
import { allow } from '../middleware/authenticate.js';
import { cursorOf, pageLimit, sendPage } from '../middleware/paging.js';
import { idIn, parse } from '../middleware/parse.js';
import { barsOf, statsOf } from './stats.js';

export const listQuery = z.object({
  user_id: externalId.optional().meta({ description: 'Of this person' }),
  event_type: externalId.optional().meta({ description: 'Of this event' }),
  status: z.enum(STATUSES, `must be one of ${STATUSES.join(', ')}`).optional(),
  channel: channel.optional().meta({ description: 'That used this channel' }),
  priority: priority.optional(),
  broadcast_id: z
    .string()
    .regex(UUID, 'must be a UUID')
    .toLowerCase()
    .optional()
    .meta({ description: 'Part of this broadcast' }),
  from: moment.optional().meta({ description: 'Accepted at this time or after it' }),
  to: moment.optional().meta({ description: 'Accepted before this time' }),
  limit: pageLimit,
  cursor: cursorOf(isId).optional(),
});

/** Everything that shows notifications. */
export function readingRoutes(database: Database): Router {
  const router = Router({ caseSensitive: true });
  const admins = allow('admin');

  router.get('/notifications', admins, async (req, res) => {
    const query = parse(listQuery, req.query);
    const page = { beforeId: query.cursor, limit: query.limit + 1 };
    const filter = {
      userId: query.user_id,
      eventType: query.event_type,
      status: query.status,
      channel: query.channel,
      priority: query.priority,
      broadcastId: query.broadcast_id,
      from: query.from,
      to: query.to,
    };
    const found = await listNotifications(database, filter, page);
    sendPage(req, res, found, { limit: query.limit, show: summaryOf });
  });

  router.get('/notifications/stats', admins, async (req, res) => {
    const stats = statsOf(await countNotifications(database));
    const asText =
      req.query.format === 'ascii' || req.accepts(['application/json', 'text/plain']) === 'text/plain';
    if (asText) res.type('text/plain').send(barsOf(stats));
    else res.json(stats);
  });

  router.get('/notifications/:id', admins, async (req, res) => {
    res.json(detailsOf(await load(req)));
  });

  router.get(['/email/:id', '/notifications/email/:id'], allow('admin', 'internal'), async (req, res) => {
    const record = await load(req);
    const [mail] = record.deliveries;
    if (record.notification.type !== 'email' || record.notification.personId !== null || mail === undefined) {
      throw unknownNotification(String(req.params.id));
    }
    res.json({
      ...detailsOf(record),
      email_id: record.notification.id,
      subject: record.notification.title,
      state: mail.state,
    });
  });

  async function load(req: Request): Promise<NotificationRecord> {
    const id = idIn(req);
    const record = await findNotification(database, id);
    if (record === null) throw unknownNotification(id);
    return record;
  }

  return router;
}

export function unknownNotification(id: string): Refusal {
  return new Refusal('not_found', `Notification with ID ${id} not found.`);
}

function summaryOf(row: NotificationSummary) {
  return {
    id: row.id,
    user_id: row.personId,
    event_type: row.eventType,
    type: row.type,
    title: row.title,
    status: row.status,
    sent_at: row.sentAt,
    created_at: row.createdAt,
    priority: row.priority,
    channels: CHANNELS.filter((channel) => row.channels.includes(channel)),
  };
}

function detailsOf({ notification, deliveries }: NotificationRecord) {
  const channels = deliveries.filter(({ state }) => state !== 'skipped').map(({ channel }) => channel);
  return {
    ...summaryOf({ ...notification, channels }),
    message: notification.message,
    context: notification.context,
    data: notification.data,
    template_version: notification.templateVersion,
    broadcast_id: notification.broadcastId,
    send_at: notification.sendAt,
    expires_at: notification.expiresAt,
    caller: notification.caller,
    reason: notification.reason,
    deliveries: deliveries.map((delivery) => ({
      id: delivery.id,
      channel: delivery.channel,
      state: delivery.state,
      provider: delivery.provider,
      to: delivery.address === null ? null : maskAddressOn(delivery.channel, delivery.address),
      template: delivery.template,
      due_at: delivery.dueAt,
      sent_at: delivery.sentAt,
      reason: delivery.reason,
      attempts: delivery.trials.map((trial) => ({
        n: trial.n,
        provider: trial.provider,
        outcome: trial.outcome,
        code: trial.code,
        error: trial.error,
        started_at: trial.startedAt,
        finished_at: trial.finishedAt,
      })),
    })),
  };
}
