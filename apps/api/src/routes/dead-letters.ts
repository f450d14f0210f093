import { channel, externalId, line, moment, priority } from '@belfry/shared/channels/fields.js';
import { FAILURE_CLASSES } from '@belfry/shared/domain/failure.js';
import { UUID } from '@belfry/shared/domain/ids.js';
import { maskAddressOn } from '@belfry/shared/domain/mask.js';
import { invalid, type Refusal } from '@belfry/shared/domain/refusal.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import {
  type DeadLetter,
  type DeadLetterFilter,
  isPosition,
  loadDead,
  walkDead,
} from '@belfry/shared/ledger/dead-letters.js';
import type { Notifier } from '@belfry/shared/notify/notifier.js';
import type { ReplayResult } from '@belfry/shared/queue/replay-dead.js';
import { Router } from 'express';
import { z } from 'zod';
import { allow, callerOf } from '../middleware/authenticate.js';
import { jsonBody } from '../middleware/body.js';
import type { Keyed } from '../middleware/once.js';
import { cursorOf, linkNext, pageLimit } from '../middleware/paging.js';
import { parse } from '../middleware/parse.js';

/** Why a delivery was given up. */
export const failureClass = z
  .enum(FAILURE_CLASSES, `must be one of ${FAILURE_CLASSES.join(', ')}`)
  .meta({ id: 'FailureClass', description: 'Why it was given up' });

/** What a list and a replay can be narrowed down by. */
const FILTER = {
  class: failureClass.optional(),
  channel: channel.optional(),
  provider: line(64).optional().meta({ description: 'That was tried last, such as `smtp`' }),
  priority: priority.optional(),
  event_type: externalId.optional().meta({ description: 'Of this event' }),
  user_id: externalId.optional().meta({ description: 'To this person' }),
  search: line(254).optional().meta({
    description:
      "Exactly a person's id, an address in any case, an event, a reason or the code of the last attempt",
  }),
  from: moment.optional().meta({ description: 'Died at this time or after it' }),
  to: moment.optional().meta({ description: 'Died before this time' }),
};

/** The query of `GET /dead-letters`. */
export const deadLetterQuery = z.object({
  ...FILTER,
  limit: pageLimit,
  cursor: cursorOf(isPosition).optional(),
});

const MOST_IDS = 1_000;
const WHAT_TO_SAY =
  'Say what to replay: {"ids": ["…"]} for single deliveries, {"filter": {"class": "exhausted"}} for all that fit, or {"filter": {}} for all.';

/** The body of a replay: `ids` or a `filter`. */
export const replayBody = z.object({
  ids: z
    .array(z.string().regex(UUID, 'must be the UUID of a delivery').toLowerCase())
    .min(1, 'must name at least one delivery')
    .max(MOST_IDS, `must name at most ${MOST_IDS} deliveries`)
    .optional()
    .meta({ description: 'Single deliveries' }),
  // Strict: a filter that was misspelt would replay everything.
  filter: z
    .strictObject(FILTER)
    .optional()
    .meta({ description: 'All that fit, at this moment; `{}` means all' }),
  rate: z
    .number()
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .max(1_000, 'must be at most 1000')
    .default(50)
    .meta({ description: 'How many become due in a second' }),
});

export interface DeadLetterParts {
  readonly database: Database;
  readonly notifier: Notifier;
  readonly keyed: Keyed;
}

/** What was given up: looking at it, and bringing it back. */
export function deadLetterRoutes({ database, notifier, keyed }: DeadLetterParts): Router {
  const router = Router({ caseSensitive: true });
  const admins = allow('admin');

  router.get('/dead-letters', admins, async (req, res) => {
    const { cursor, limit, ...filter } = parse(deadLetterQuery, req.query);
    const page = { after: cursor ?? null, limit, order: 'newest first' } as const;
    const { ids, next } = await walkDead(database, filterOf(filter), page);
    linkNext(req, res, next);
    res.json((await loadDead(database, ids)).map(shown));
  });

  router.post('/dead-letters/replay', admins, ...jsonBody('256kb'), (req, res) =>
    keyed(req, res, async (keep) => {
      const { ids, filter, rate } = parse(replayBody, req.body);
      const which = whichOf(ids, filter);
      const answerOf = (result: ReplayResult) => ({
        replayed: result.replayed,
        skipped: result.skipped,
        rate,
        last_due_at: result.lastDueAt,
        more: result.more,
      });
      const outcome = await notifier.replay({
        actor: callerOf(req),
        which,
        rate,
        answer: (result) => keep(202, answerOf(result)),
      });
      return outcome.kind === 'taken'
        ? { kind: 'taken' }
        : { kind: 'done', status: 202, body: answerOf(outcome.result) };
    }),
  );

  return router;
}

type Given = z.infer<z.ZodObject<typeof FILTER>>;

function whichOf(ids: readonly string[] | undefined, filter: Given | undefined) {
  if (ids !== undefined && filter !== undefined)
    throw invalid([{ path: 'filter', message: 'cannot go with ids' }]);
  if (ids !== undefined) return { ids };
  if (filter !== undefined) return { filter: filterOf(filter) };
  throw nothingNamed();
}

export function nothingNamed(): Refusal {
  return invalid([{ path: 'ids', message: 'is required, unless there is a filter' }], WHAT_TO_SAY);
}

function filterOf({ event_type, user_id, ...same }: Given): DeadLetterFilter {
  return { ...same, eventType: event_type, userId: user_id };
}

function shown(letter: DeadLetter) {
  return {
    id: letter.id,
    notification_id: letter.notificationId,
    user_id: letter.userId,
    event_type: letter.eventType,
    channel: letter.channel,
    priority: letter.priority,
    to: letter.address === null ? null : maskAddressOn(letter.channel, letter.address),
    class: letter.class,
    reason: letter.reason,
    provider: letter.provider,
    code: letter.code,
    error: letter.error,
    attempts: letter.attempts,
    interruptions: letter.interruptions,
    dead_at: letter.deadAt,
    created_at: letter.createdAt,
    retryable: letter.retryable,
  };
}
