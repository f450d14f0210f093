import { BROADCAST_MOVES, type BroadcastMove } from '@belfry/shared/domain/broadcast.js';
import { isId } from '@belfry/shared/domain/ids.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import {
  type BroadcastProgress,
  findBroadcast,
  listBroadcasts,
  moveBroadcast,
} from '@belfry/shared/ledger/broadcasts.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { type FanOutQueue, wakeResumed } from '@belfry/shared/queue/fan-out-jobs.js';
import { callOff } from '@belfry/shared/upkeep/broadcasts.js';
import { Router } from 'express';
import { z } from 'zod';
import { allow, callerOf } from '../middleware/authenticate.js';
import { cursorOf, pageLimit, sendPage } from '../middleware/paging.js';
import { idIn, parse } from '../middleware/parse.js';
import { listedBroadcast, shownBroadcast } from './broadcast-shape.js';

export const broadcastQuery = z.object({ limit: pageLimit, cursor: cursorOf(isId).optional() });

/** Pages of deliveries that a call takes back by itself; the fan-out never hands out many more than that. */
const PAGES = 5;

/** What has become of broadcasts, and what can be done to them. */
export function broadcastRoutes({
  database,
  engine,
  events,
}: FanOutQueue & { readonly database: Database }): Router {
  const router = Router({ caseSensitive: true });
  const senders = allow('admin', 'internal');

  router.get('/broadcasts', senders, async (req, res) => {
    const { limit, cursor } = parse(broadcastQuery, req.query);
    const found = await listBroadcasts(database, { beforeId: cursor, limit: limit + 1 });
    sendPage(req, res, found, { limit, show: listedBroadcast });
  });

  router.get('/broadcasts/:id', senders, async (req, res) => {
    res.json(shownBroadcast(await loadBroadcast(database, idIn(req))));
  });

  for (const move of BROADCAST_MOVES)
    router.post(`/broadcasts/:id/${move}`, senders, async (req, res) => {
      const id = idIn(req);
      const outcome = await moveBroadcast(database, id, move, callerOf(req));
      if (outcome.kind === 'unknown') throw unknownBroadcast(id);
      if (outcome.kind === 'impossible')
        throw cannot(move, outcome.through && outcome.status === 'running' ? 'through' : outcome.status);
      const { status, delayMs } = outcome;
      events.broadcastMoved({ broadcastId: id, status });
      if (move === 'resume') await wakeResumed({ engine, events }, { id, delayMs });
      if (move === 'cancel') await callOff(database, id, PAGES);
      res.json(shownBroadcast(await loadBroadcast(database, id)));
    });

  return router;
}

/** The broadcast, or a refusal: there is none. */
export async function loadBroadcast(database: Database, id: string): Promise<BroadcastProgress> {
  const found = await findBroadcast(database, id);
  if (found === null) throw unknownBroadcast(id);
  return found;
}

export function unknownBroadcast(id: string): Refusal {
  return new Refusal('not_found', `Broadcast with ID ${id} not found.`);
}

export function cannot(move: BroadcastMove, standing: string): Refusal {
  const is = standing === 'through' ? 'has come to everybody already' : `is ${standing}`;
  return new Refusal('conflict', `The broadcast ${is}: it cannot be ${PAST[move]}.`, {
    reason: 'impossible_move',
  });
}

const PAST = { pause: 'paused', resume: 'resumed', cancel: 'cancelled' } as const;
