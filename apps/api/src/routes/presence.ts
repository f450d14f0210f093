import { externalId } from '@belfry/shared/channels/fields.js';
import { sessionBody, sessionNameBody } from '@belfry/shared/channels/realtime.js';
import type { ApiSettings } from '@belfry/shared/config/settings.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import {
  endSessions,
  type Presence,
  presenceOf,
  renewReported,
  reportSession,
} from '@belfry/shared/ledger/sessions.js';
import type { RealtimeBus } from '@belfry/shared/queue/realtime-bus.js';
import { type Request, Router } from 'express';
import { z } from 'zod';
import { allowSelf } from '../middleware/authenticate.js';
import { jsonBody } from '../middleware/body.js';
import { parse } from '../middleware/parse.js';
import { unknownPerson } from './known-person.js';

export interface PresenceParts {
  readonly settings: ApiSettings;
  readonly database: Database;
  readonly bus: RealtimeBus;
}

/** Who is connected; and sessions that clients report by themselves, because what carries them is not ours. */
export function presenceRoutes({ settings, database, bus }: PresenceParts): Router {
  const router = Router({ caseSensitive: true });
  const ttlMs = settings.SESSION_TTL_MS;
  const bounds = { perPerson: settings.REALTIME_STREAMS_PER_PERSON, ttlMs };
  const themselves = allowSelf('id', 'internal');
  const body = jsonBody('256kb');

  router.post('/websocket/connect/:id', themselves, ...body, async (req, res) => {
    const personId = personIn(req);
    const { session_id: name = null, device_info: device = null } = parse(sessionBody, req.body);
    const session = await reportSession(database, { personId, name, device }, bounds);
    if (session === null) throw unknownPerson(personId);
    res.json({ status: 'connected', session_id: session, expires_at: new Date(Date.now() + ttlMs) });
  });

  router.post('/websocket/disconnect/:id', themselves, ...body, async (req, res) => {
    const personId = personIn(req);
    const { session_id: name = null } = parse(sessionNameBody, req.body);
    await load(database, personId, ttlMs);
    const sessions = await endSessions(database, personId, name, ttlMs);
    // Whoever holds a stream of theirs finds its row gone.
    bus.look([personId]);
    res.json({ status: 'disconnected', sessions });
  });

  router.post('/websocket/heartbeat/:id', themselves, ...body, async (req, res) => {
    const personId = personIn(req);
    const { session_id: name = null } = parse(sessionNameBody, req.body);
    await load(database, personId, ttlMs);
    const sessions = await renewReported(database, personId, name, ttlMs);
    if (sessions === 0) throw unknownSession();
    res.json({ status: 'ok', sessions, expires_at: new Date(Date.now() + ttlMs) });
  });

  router.get('/presence/:id', themselves, async (req, res) => {
    const personId = personIn(req);
    const { sessions, lastSeenAt } = await load(database, personId, ttlMs);
    res.json({
      user_id: personId,
      online: sessions.length > 0,
      sessions: sessions.map(({ id, transport, device, connectedAt, seenAt }) => ({
        session_id: id,
        transport,
        device_info: device,
        connected_at: connectedAt,
        last_seen_at: seenAt,
      })),
      last_seen_at: lastSeenAt,
    });
  });

  return router;
}

export function unknownSession(): Refusal {
  return new Refusal('not_found', 'There is no such session, or it was silent for too long.', {
    reason: 'unknown_session',
  });
}

function personIn(req: Request): string {
  return parse(z.object({ id: externalId }), { id: req.params.id }).id;
}

async function load(database: Database, personId: string, ttlMs: number): Promise<Presence> {
  const presence = await presenceOf(database, personId, ttlMs);
  if (presence === null) throw unknownPerson(personId);
  return presence;
}
