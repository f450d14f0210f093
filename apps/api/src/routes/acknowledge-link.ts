import { type AcknowledgeLinks, LINK_DAYS, LINK_PATH } from '@belfry/shared/domain/acknowledge-link.js';
import type { AlertVerb } from '@belfry/shared/domain/alert.js';
import { findLinked, type LinkedAlert } from '@belfry/shared/ledger/acknowledging.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { moveAlert } from '@belfry/shared/notify/move-alert.js';
import type { QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import type { Events } from '@belfry/shared/service/events.js';
import type { Logger } from '@belfry/shared/service/log.js';
import express, { type ErrorRequestHandler, type Request, type Response, Router } from 'express';
import { alertPage, type Trouble, troublePage } from '../acknowledge/page.js';
import { linkHeaders } from '../acknowledge/page-headers.js';
import { LANGUAGES } from '../acknowledge/words.js';
import { asRefusal } from '../middleware/errors.js';
import { keyOf } from '../middleware/limiter-key.js';
import { problemOf } from '../middleware/problem.js';

export interface LinkParts {
  readonly database: Database;
  readonly engine: QueueEngine;
  readonly events: Events;
  readonly log: Logger;
  /** Null where there are none: then every link is unknown. */
  readonly links: AcknowledgeLinks | null;
  readonly migrated: () => boolean;
}

/** Tokens that nobody made here, from one address; a good link is never refused for them. */
const FORGED = { points: 30, seconds: 60 };
/** What is done with one link. */
const USED = { points: 60, seconds: 60 };

const LINK = `${LINK_PATH}/:token`;

/**
 * The page of a signed link. Looking changes nothing, whoever looks: a scanner of mails, a preview, a prefetch. Only what the
 * button sends acknowledges, in the name of the person that the link was made for.
 */
export function acknowledgeLinkRoutes(parts: LinkParts): Router {
  const { database, engine, events, links, migrated } = parts;
  const router = Router({ caseSensitive: true });
  const forged = engine.limiter('links-forged', FORGED, { alone: FORGED });
  const used = engine.limiter('links', USED, { alone: USED });

  router.get(LINK, linkHeaders, async (req, res) => {
    const found = await open(req);
    if (typeof found === 'string') sayTrouble(req, res, found);
    else res.send(alertPage(found));
  });

  const body = express.urlencoded({ extended: false, limit: '4kb', parameterLimit: 10 });
  router.post(LINK, linkHeaders, body, async (req, res) => {
    const found = await open(req);
    if (typeof found === 'string') return sayTrouble(req, res, found);
    const { alert, person } = found;
    await moveAlert({ database, events }, verbIn(req), alert.id, { name: person.id, via: 'link' });
    // To the page again, so that loading it anew sends nothing; relative, as a proxy may have put it below some other path.
    res.status(303).set('Location', String(req.params.token)).end();
  });

  router.use(answerTrouble(parts.log));

  async function open(req: Request): Promise<LinkedAlert | Trouble> {
    const id = links?.notificationIn(String(req.params.token)) ?? null;
    if (id === null) {
      const waitMs = await forged.take(keyOf(req.socket.remoteAddress ?? ''));
      return waitMs === null ? 'unknown' : 'tooOften';
    }
    if (!migrated()) return 'trouble';
    if ((await used.take(id)) !== null) return 'tooOften';
    return (await findLinked(database, id, LINK_DAYS)) ?? 'unknown';
  }

  return router;
}

/** What the form asks for; one without a word was sent to acknowledge. */
function verbIn(req: Request): AlertVerb {
  const body: unknown = req.body;
  const verb = typeof body === 'object' && body !== null ? Reflect.get(body, 'verb') : undefined;
  return verb === 'resolve' ? 'resolve' : 'acknowledge';
}

const STATUS: Readonly<Record<Trouble, number>> = { unknown: 404, gone: 410, tooOften: 429, trouble: 503 };
const RETRY_AFTER: Partial<Record<Trouble, string>> = { tooOften: '60', trouble: '2' };

/** In the language that the browser asks for: whose link it is may not be known. */
function sayTrouble(req: Request, res: Response, trouble: Trouble, status = STATUS[trouble]): void {
  const retryAfter = RETRY_AFTER[trouble];
  if (retryAfter !== undefined && status !== 500) res.set('Retry-After', retryAfter);
  const language = req.acceptsLanguages(...LANGUAGES);
  res.status(status).send(troublePage(language === false ? 'en' : language, trouble));
}

/** Whoever opens a link gets a page, also when something is wrong; whether something was changed is seen by opening it again. */
function answerTrouble(log: Logger): ErrorRequestHandler {
  return (error: unknown, req, res, next) => {
    if (res.headersSent) return next(error);
    const refusal = asRefusal(error, req);
    if (refusal === null) log.error({ err: error, method: req.method, route: LINK }, 'request failed');
    if (refusal?.code === 'unavailable')
      log.warn({ err: refusal.cause ?? refusal }, 'request refused: unavailable');
    sayTrouble(req, res, 'trouble', refusal === null ? 500 : problemOf(refusal).status);
  };
}
