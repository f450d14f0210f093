import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import { DELIVERY_QUEUES } from '@belfry/shared/queue/topology.js';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { type RequestHandler, Router } from 'express';
import helmet from 'helmet';
import type { Authenticator } from '../middleware/authenticate.js';

type Queue = ReturnType<QueueEngine['queue']>;

/** Where the board is. */
const BOARD_PATH = '/admin/queues';

/** Bull Board over every queue, for administrators. */
export function boardRoutes(engine: QueueEngine, authenticator: Authenticator): Router {
  const router = Router();
  router.use(
    BOARD_PATH,
    noFraming,
    sameOrigin,
    adminsOnly(authenticator),
    whileUp(engine),
    currentBoard(engine),
  );
  return router;
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

/**
 * The board over the engine's queues as they are now. It is made when it is first asked for, since there may be no
 * schema to open a queue on before, and again when a queue had to be opened anew.
 */
function currentBoard(engine: QueueEngine): RequestHandler {
  let shown: readonly Queue[] = [];
  let board: RequestHandler | undefined;
  return (req, res, next) => {
    const queues = DELIVERY_QUEUES.map((name) => engine.queue(name));
    if (board === undefined || queues.some((queue, index) => queue !== shown[index])) {
      board = boardOf(queues);
      shown = queues;
    }
    board(req, res, next);
  };
}

function boardOf(queues: readonly Queue[]): RequestHandler {
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath(BOARD_PATH);
  createBullBoard({
    queues: queues.map((queue) => new BullMQAdapter(queue, { delimiter: '.', allowRetries: false })),
    serverAdapter,
    options: { uiConfig: { boardTitle: 'Belfry' } },
  });
  return serverAdapter.getRouter();
}

/** The board's page brings an inline script and styles of its own; everything else stays shut. */
const noFraming = helmet({
  contentSecurityPolicy: {
    directives: {
      defaultSrc: ["'self'"],
      scriptSrc: ["'self'", "'unsafe-inline'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      frameAncestors: ["'none'"],
      upgradeInsecureRequests: null,
    },
  },
});

/** A request that changes something must come from the board's own page. */
const sameOrigin: RequestHandler = (req, _res, next) => {
  const reads = req.method === 'GET' || req.method === 'HEAD';
  const origin = req.get('Origin');
  const own =
    origin === undefined
      ? req.get('Sec-Fetch-Site') === 'same-origin'
      : URL.parse(origin)?.host === req.get('Host');
  if (!reads && !own) throw new Refusal('forbidden', 'Forbidden', { reason: 'cross_origin' });
  next();
};

/**
 * An Admin token, as `Authorization: Bearer`, or as the password of HTTP Basic so that a browser asks for it; the user
 * name does not matter then.
 */
function adminsOnly(authenticator: Authenticator): RequestHandler {
  return async (req, res, next) => {
    const [scheme = '', credentials = ''] = (req.get('Authorization') ?? '').split(' ');
    const token = scheme.toLowerCase() === 'basic' ? passwordIn(credentials) : credentials;
    try {
      const { role } = await authenticator(token);
      if (role !== 'admin') throw new Refusal('forbidden', 'Forbidden');
      next();
    } catch (error) {
      if (error instanceof Refusal && error.code === 'unauthenticated') {
        res.set('WWW-Authenticate', 'Basic realm="Belfry: an Admin token as the password", charset="UTF-8"');
        res
          .status(401)
          .type('text/plain')
          .send('Sign in with an Admin token as the password: npm run token -- --role admin --sub you\n');
        return;
      }
      next(error);
    }
  };
}

function passwordIn(credentials: string): string {
  const pair = Buffer.from(credentials, 'base64').toString();
  return pair.slice(pair.indexOf(':') + 1);
}
