import { alertLevel } from '@belfry/shared/channels/alert.js';
import { externalId, prose } from '@belfry/shared/channels/fields.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import {
  findHeartbeat,
  type Heartbeat,
  type HeartbeatMove,
  listHeartbeats,
  putHeartbeat,
  recordBeat,
  removeHeartbeat,
} from '@belfry/shared/ledger/heartbeats.js';
import type { Events } from '@belfry/shared/service/events.js';
import { type RequestHandler, Router } from 'express';
import { z } from 'zod';
import { allow, callerOf } from '../middleware/authenticate.js';
import { jsonBody } from '../middleware/body.js';
import { sendPage } from '../middleware/paging.js';
import { parse } from '../middleware/parse.js';
import type { SourceOf } from '../middleware/source-token.js';
import { namesQuery } from './alert-sources.js';
import { nameIn } from './name-in.js';

const SHORTEST_MS = 10_000;
const LONGEST_MS = 31 * 24 * 60 * 60 * 1_000;
const A_SILENCE = `must be a whole number of milliseconds from ${SHORTEST_MS} to ${LONGEST_MS}`;

export const heartbeatBody = z
  .object({
    after_ms: z
      .int(A_SILENCE)
      .min(SHORTEST_MS, A_SILENCE)
      .max(LONGEST_MS, A_SILENCE)
      .meta({ description: 'It is missed after so many milliseconds of silence' }),
    alert_type: externalId.default('heartbeat_missed').meta({ description: 'The type of the alert' }),
    level: alertLevel.default('critical'),
    message: prose(2_000)
      .optional()
      .meta({ description: 'Absent: its name, and since when it has not been heard of' }),
  })
  .meta({ id: 'HeartbeatBody', description: 'Something that must be heard of.' });

export interface HeartbeatParts {
  readonly database: Database;
  readonly events: Events;
}

/** What must be heard of. */
export function heartbeatRoutes({ database, events }: HeartbeatParts): Router {
  const router = Router({ caseSensitive: true });
  const admins = allow('admin');

  router.get('/heartbeats', admins, async (req, res) => {
    const { limit, cursor } = parse(namesQuery, req.query);
    const found = await listHeartbeats(database, { afterName: cursor ?? '', limit: limit + 1 });
    const rows = found.map((heartbeat) => ({ ...heartbeat, id: heartbeat.name }));
    sendPage(req, res, rows, { limit, show: shownHeartbeat });
  });

  router.put('/heartbeats/:name', admins, ...jsonBody('256kb'), async (req, res) => {
    const {
      after_ms: afterMs,
      alert_type: alertType,
      level,
      message = null,
    } = parse(heartbeatBody, req.body);
    const rule = { afterMs, alertType, level, message };
    const { created, heartbeat } = await putHeartbeat(database, nameIn(req), rule, callerOf(req));
    res.status(created ? 201 : 200).json(shownHeartbeat(heartbeat));
  });

  router.get('/heartbeats/:name', admins, async (req, res) => {
    const name = nameIn(req);
    const heartbeat = await findHeartbeat(database, name);
    if (heartbeat === null) throw unknownHeartbeat(name);
    res.json(shownHeartbeat(heartbeat));
  });

  router.delete('/heartbeats/:name', admins, async (req, res) => {
    const name = nameIn(req);
    const removed = await removeHeartbeat(database, name, callerOf(req));
    if (removed === null) throw unknownHeartbeat(name);
    announceResolved(events, removed, 'api');
    res.status(204).end();
  });

  return router;
}

/**
 * Hears beats: of services and administrators, and of every alert source. What is sent with them is not looked at.
 *
 * @param callers lets administrators and services pass.
 */
export function beatRoutes(
  { database, events, sourceOf }: HeartbeatParts & { readonly sourceOf: SourceOf },
  callers: readonly RequestHandler[],
): Router {
  const router = Router({ caseSensitive: true });

  router.post(
    '/heartbeats/:name',
    async (req, _res, next) => next((await sourceOf(req)) === null ? undefined : 'route'),
    ...callers,
    (_req, _res, next) => next('route'),
  );
  router.post('/heartbeats/:name', async (req, res) => {
    const name = nameIn(req);
    const beat = await recordBeat(database, name);
    if (beat === null) throw unknownHeartbeat(name);
    announceResolved(events, beat, 'heartbeat');
    res.json({ name, due_at: beat.heartbeat.dueAt });
  });

  return router;
}

function announceResolved(
  events: Events,
  { heartbeat, resolved, wasMissed }: HeartbeatMove,
  via: 'api' | 'heartbeat',
): void {
  if (wasMissed && via === 'heartbeat') events.heartbeatMoved({ name: heartbeat.name, missed: false });
  if (resolved?.moved !== true) return;
  const { id, level, status } = resolved.alert;
  events.alertMoved({ alertId: id, level, status, via });
}

export function unknownHeartbeat(name: string): Refusal {
  return new Refusal(
    'not_found',
    `There is no heartbeat "${name}": add it with PUT /api/v1/heartbeats/${name}.`,
  );
}

function shownHeartbeat(heartbeat: Heartbeat) {
  const { name, afterMs, alertType, level, message, beatAt, dueAt, missedAt } = heartbeat;
  return {
    name,
    after_ms: afterMs,
    alert_type: alertType,
    level,
    message,
    beat_at: beatAt,
    due_at: dueAt,
    missed_at: missedAt,
    created_at: heartbeat.createdAt,
    updated_at: heartbeat.updatedAt,
  };
}
