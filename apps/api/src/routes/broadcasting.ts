import {
  type BroadcastRequest,
  broadcastRequest,
  groupBroadcastRequest,
  type MaintenanceRequest,
  maintenanceRequest,
  statusRequest,
} from '@belfry/shared/channels/broadcast.js';
import { externalId } from '@belfry/shared/channels/fields.js';
import { newId } from '@belfry/shared/domain/ids.js';
import {
  type CreatedBroadcast,
  createBroadcasts,
  type NewBroadcast,
} from '@belfry/shared/ledger/broadcasts.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { isGroup } from '@belfry/shared/ledger/groups.js';
import { type FanOutQueue, wakeFanOut } from '@belfry/shared/queue/fan-out-jobs.js';
import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { allow, callerOf } from '../middleware/authenticate.js';
import { jsonBody } from '../middleware/body.js';
import type { Keyed } from '../middleware/once.js';
import { parse, parseMessage } from '../middleware/parse.js';
import { unknownGroup } from './groups.js';

export interface BroadcastingParts extends FanOutQueue {
  readonly database: Database;
  readonly keyed: Keyed;
}

const REMINDER = 'Reminder: ';
const LONGEST_TITLE = 200;

/** Everything that tells many people at once. */
export function broadcastingRoutes({ database, keyed, engine, events }: BroadcastingParts): Router {
  const router = Router({ caseSensitive: true });
  const senders = allow('admin', 'internal');
  const body = jsonBody('256kb');

  router.post('/notifications/realtime/broadcast', senders, ...body, (req, res) =>
    broadcast(req, res, async () => [broadcastOf(parseMessage(broadcastRequest, req.body))]),
  );

  router.post('/notifications/realtime/group/:group_id', senders, ...body, (req, res) =>
    broadcast(req, res, async () => {
      const { group_id } = parse(z.object({ group_id: externalId }), { group_id: req.params.group_id });
      const request = parseMessage(groupBroadcastRequest, req.body);
      if (!(await isGroup(database, group_id))) throw unknownGroup(group_id);
      return [broadcastOf({ ...request, target_groups: [group_id] })];
    }),
  );

  router.post('/notifications/system/status', senders, ...body, (req, res) =>
    broadcast(req, res, async () => [
      broadcastOf({ ...parseMessage(statusRequest, req.body), type: 'system' }),
    ]),
  );

  router.post('/notifications/system/maintenance', senders, ...body, (req, res) =>
    broadcast(req, res, async () => maintenanceOf(parseMessage(maintenanceRequest, req.body)), [
      'broadcast_id',
      'reminder_id',
    ]),
  );

  /** Commits them with the answer, and lets the fan-out know. @param ids what their ids are called in the answer. */
  async function broadcast(
    req: Request,
    res: Response,
    make: () => Promise<readonly NewBroadcast[]>,
    ids: readonly string[] = ['broadcast_id'],
  ): Promise<void> {
    await keyed(req, res, async (keep) => {
      const caller = callerOf(req);
      const made = await make();
      const answer = (created: readonly CreatedBroadcast[]) => ({
        status: 'broadcast_queued',
        ...Object.fromEntries(ids.map((name, index) => [name, created[index]?.id ?? null])),
        total: created[0]?.total ?? 0,
      });
      const creation = await createBroadcasts(database, made, caller, (created) =>
        keep(202, answer(created)),
      );
      if (creation.kind === 'taken') return { kind: 'taken' };
      const { broadcasts } = creation;
      for (const [index, one] of broadcasts.entries())
        events.broadcastAccepted({
          broadcastId: one.id,
          caller: caller.sub,
          priority: made[index]?.priority ?? 'normal',
          total: one.total,
          scheduled: one.status === 'scheduled',
        });
      // Nobody waits for it: the rows are on disk, and the upkeep sees them too.
      void wakeFanOut({ engine, events }, broadcasts);
      return { kind: 'done', status: 202, body: answer(broadcasts) };
    });
  }

  return router;
}

function broadcastOf(request: BroadcastRequest): NewBroadcast {
  return {
    id: newId(),
    type: request.type,
    title: request.title,
    message: request.message,
    data: request.data ?? {},
    priority: request.priority,
    channels: request.channels,
    groups: request.target_groups ?? [],
    sendAt: request.send_at ?? null,
    expiresAt: request.expires_at ?? null,
  };
}

/** The announcement and, if it is wished for, a reminder that is worth nothing once the work has begun. */
function maintenanceOf(request: MaintenanceRequest): NewBroadcast[] {
  const { starts_at, ends_at, remind_before_ms, expires_at = ends_at } = request;
  const data = {
    ...request.data,
    ...(starts_at === undefined ? {} : { starts_at: starts_at.toISOString() }),
    ...(ends_at === undefined ? {} : { ends_at: ends_at.toISOString() }),
  };
  const announcement = broadcastOf({ ...request, type: 'system', data, expires_at });
  if (starts_at === undefined || remind_before_ms === undefined) return [announcement];
  return [
    announcement,
    {
      ...announcement,
      id: newId(),
      title: `${REMINDER}${announcement.title}`.slice(0, LONGEST_TITLE),
      sendAt: new Date(starts_at.getTime() - remind_before_ms),
      expiresAt: starts_at,
    },
  ];
}
