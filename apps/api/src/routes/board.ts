import type { ApiSettings } from '@belfry/shared/config/settings.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import type { Enqueuer } from '@belfry/shared/queue/enqueuer.js';
import type { QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import type { Events } from '@belfry/shared/service/events.js';
import { type ErrorRequestHandler, type RequestHandler, Router } from 'express';
import { createActs } from '../board/acts.js';
import { currentBoard } from '../board/bull-board.js';
import { changeRoutes } from '../board/change-routes.js';
import { boardHeaders } from '../board/headers.js';
import { isForPrograms, onlyReads, prefersPages } from '../board/request-kind.js';
import { cookieOptions, createSessions, SESSION_COOKIE } from '../board/session.js';
import { signInRoutes } from '../board/sign-in.js';
import { signInPage, signOutPage } from '../board/sign-in-page.js';
import { leadToSuccessor } from '../board/successor.js';
import { admit, visitorOf } from '../board/visitor.js';
import type { Authenticator } from '../middleware/authenticate.js';
import { asRefusal, setRefusalHeaders } from '../middleware/errors.js';
import { problemOf } from '../middleware/problem.js';

/** Where the board is. */
const BOARD_PATH = '/admin/queues';

export interface BoardParts {
  readonly settings: ApiSettings;
  readonly database: Database;
  readonly engine: QueueEngine;
  readonly enqueuer: Enqueuer;
  readonly events: Events;
  readonly authenticator: Authenticator;
  /** False until the schema is what this build needs. */
  readonly migrated: () => boolean;
}

/** Bull Board over every queue, for administrators, and for viewers without its buttons. */
export function boardRoutes(parts: BoardParts): Router {
  const { settings, engine, authenticator } = parts;
  const sessions = createSessions(settings);
  const board = Router({ caseSensitive: true });
  board.use(boardHeaders, sameOrigin, onceMigrated(parts.migrated));
  board.use(signInRoutes({ ...parts, sessions, base: BOARD_PATH }));

  board.use(admit(sessions, authenticator));
  board.get('/sign-out', (req, res) => {
    res.send(signOutPage(BOARD_PATH, visitorOf(req)));
  });
  board.post('/sign-out', (_req, res) => {
    res.clearCookie(SESSION_COOKIE, cookieOptions(BOARD_PATH, false));
    res.redirect(303, `${BOARD_PATH}/`);
  });
  board.use(whileUp(engine));
  board.use('/api', changeRoutes(createActs(parts)));
  board.get('/api/queues/:queue/:job', leadToSuccessor(engine, parts.database, BOARD_PATH));
  board.use(currentBoard(engine, BOARD_PATH));
  board.use(answerOnTheBoard(sessions.possible));

  const router = Router({ caseSensitive: true });
  router.use(BOARD_PATH, board);
  return router;
}

/** A request that changes something must come from the board's own page. */
const sameOrigin: RequestHandler = (req, _res, next) => {
  const origin = req.get('Origin');
  const own =
    origin === undefined
      ? req.get('Sec-Fetch-Site') === 'same-origin'
      : URL.parse(origin)?.host === req.get('Host');
  if (!onlyReads(req) && !own) throw new Refusal('forbidden', 'Forbidden', { reason: 'cross_origin' });
  next();
};

/** Every change is written down, so there must be something to write it in. */
function onceMigrated(migrated: () => boolean): RequestHandler {
  return (req, _res, next) => {
    if (!onlyReads(req) && !migrated())
      throw new Refusal('unavailable', 'The database is not ready yet.', { retryAfterMs: 2_000 });
    next();
  };
}

/** BullMQ waits for an engine that is down, and whoever looks at the board would wait with it. */
function whileUp(engine: QueueEngine): RequestHandler {
  return async (_req, _res, next) => {
    try {
      await engine.ping();
    } catch (cause) {
      throw new Refusal('unavailable', 'The queue engine cannot be reached.', { retryAfterMs: 2_000, cause });
    }
    next();
  };
}

/** Whoever is not signed in gets the page to do so, with 401; the board's own calls get a problem that it can show. */
function answerOnTheBoard(possible: boolean): ErrorRequestHandler {
  return (error, req, res, next) => {
    const refusal = asRefusal(error, req);
    if (refusal?.code === 'unauthenticated' && onlyReads(req) && prefersPages(req)) {
      setRefusalHeaders(res, refusal);
      const page = signInPage({ base: BOARD_PATH, next: req.originalUrl, message: '', possible });
      res.status(401).send(page);
      return;
    }
    if (refusal === null || !isForPrograms(req)) return next(error);
    setRefusalHeaders(res, refusal);
    const problem = problemOf(refusal);
    res.status(problem.status).type('application/problem+json');
    // The board's page shows these two.
    res.send(JSON.stringify({ ...problem, error: problem.title, message: problem.detail }));
  };
}
