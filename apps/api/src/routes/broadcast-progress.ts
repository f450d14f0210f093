import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import { type BroadcastProgress, findBroadcast } from '@belfry/shared/ledger/broadcasts.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { type Request, type Response, Router } from 'express';
import { type Glance, glanceAt } from '../metrics/glance.js';
import { allow, callerOf } from '../middleware/authenticate.js';
import { onceGone } from '../middleware/gone.js';
import { idIn } from '../middleware/parse.js';
import { hasEnded, shownBroadcast } from './broadcast-shape.js';
import { loadBroadcast } from './broadcasts.js';

/** One look at the ledger in this time for each broadcast, however many watch it. */
const INTERVAL_MS = 1_000;
/** Who watches longer connects again, as an `EventSource` does by itself. */
const LONGEST_MS = 10 * 60_000;
/** In one process, over all broadcasts. */
const MOST_WATCHERS = 100;

const LOOK = { freshMs: INTERVAL_MS / 2, patienceMs: 5_000, usableMs: 10_000 } as const;

export interface ProgressParts {
  readonly database: Database;
  /** Aborts when the process is to end: nobody is watched for any longer. */
  readonly ending: AbortSignal;
}

type Look = { readonly found: BroadcastProgress | null };

/**
 * The progress of a broadcast as server-sent events (HTML Living Standard, §9.2): `progress` every second with what
 * `GET /broadcasts/{id}` answers, and at last `end`.
 */
export function broadcastProgressRoutes({ database, ending }: ProgressParts): Router {
  const router = Router({ caseSensitive: true });
  const watched = new Map<string, { readonly look: Glance<Look>; watchers: number }>();
  let watchers = 0;
  setMaxListeners(0, ending);

  router.get('/broadcasts/:id/progress', allow('admin', 'internal'), async (req, res) => {
    const id = idIn(req);
    const first = await loadBroadcast(database, id);
    if (watchers >= MOST_WATCHERS) throw tooManyWatchers();
    res.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
      // A line that is kept open after it would keep the process from ending.
      Connection: 'close',
    });
    if (req.method === 'HEAD') return void res.end();
    const known = watched.get(id);
    const one = known ?? {
      look: glanceAt<Look>(async () => ({ found: await findBroadcast(database, id) }), LOOK),
      watchers: 0,
    };
    watched.set(id, one);
    one.watchers += 1;
    watchers += 1;
    try {
      const until = Math.min(Date.now() + LONGEST_MS, callerOf(req).expiresAt);
      await show(req, res, first, one.look, until);
    } finally {
      one.watchers -= 1;
      watchers -= 1;
      if (one.watchers === 0) watched.delete(id);
      res.end();
    }
  });

  /** Resolves when the broadcast has ended, nobody watches any more, or it is time to connect again. */
  async function show(
    req: Request,
    res: Response,
    first: BroadcastProgress,
    look: Glance<Look>,
    until: number,
  ): Promise<void> {
    const gone = new AbortController();
    const leave = () => gone.abort();
    const forget = onceGone(req, res, leave);
    if (ending.aborted) leave();
    else ending.addEventListener('abort', leave, { once: true });
    try {
      for (let seen: Look | null = { found: first }; !gone.signal.aborted && Date.now() < until; ) {
        if (seen?.found === null) return;
        // Whoever does not read gets no more until they do.
        if (seen !== null && !res.writableNeedDrain) write(res, 'progress', shownBroadcast(seen.found));
        const status = seen?.found.broadcast.status;
        if (status !== undefined && hasEnded(status)) {
          write(res, 'end', { status });
          return;
        }
        await sleep(INTERVAL_MS, undefined, { signal: gone.signal }).catch(() => undefined);
        seen = gone.signal.aborted ? null : await look();
      }
    } finally {
      ending.removeEventListener('abort', leave);
      forget();
    }
  }

  return router;
}

function write(res: Response, event: string, data: unknown): void {
  res.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

export function tooManyWatchers(): Refusal {
  return new Refusal('rate_limited', `Too Many Requests: ${MOST_WATCHERS} watch already.`, {
    retryAfterMs: 5_000,
  });
}
