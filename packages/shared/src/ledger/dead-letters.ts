import type { Channel, Priority } from '../domain/channel.js';
import type { DeliveryState } from '../domain/delivery-state.js';
import type { FailureClass } from '../domain/failure.js';
import type { Statements } from './database.js';
import type { JobSeed } from './waiting.js';

/** Which dead letters are meant; all that are given must hold. */
export interface DeadLetterFilter {
  readonly class?: FailureClass | undefined;
  readonly channel?: Channel | undefined;
  readonly provider?: string | undefined;
  readonly priority?: Priority | undefined;
  readonly eventType?: string | undefined;
  readonly userId?: string | undefined;
  /** Exactly a person's id, an address (in any case), an event, a reason, or the code of the last attempt. */
  readonly search?: string | undefined;
  /** Died at or after. */
  readonly from?: Date | undefined;
  /** Died before. */
  readonly to?: Date | undefined;
}

/** A delivery that was given up. */
export interface DeadLetter {
  readonly id: string;
  readonly notificationId: string;
  readonly userId: string | null;
  readonly eventType: string | null;
  readonly channel: Channel;
  readonly priority: Priority;
  /** Null once its person was erased. */
  readonly address: string | null;
  readonly class: FailureClass;
  readonly reason: string | null;
  readonly provider: string | null;
  /** Of the last attempt; null when nothing was ever tried. */
  readonly code: string | null;
  readonly error: string | null;
  /** All tries ever. */
  readonly attempts: number;
  readonly interruptions: number;
  readonly deadAt: Date;
  readonly createdAt: Date;
  readonly retryable: boolean;
}

/**
 * A place in the order of death: the moment to the microsecond, as no `Date` can hold it, and the id. It stays what it is
 * while others die and are replayed.
 */
export type Position = string;

const POSITION = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z,[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** True for a position as `walkDead` gives them. */
export function isPosition(text: string): boolean {
  if (!POSITION.test(text)) return false;
  const at = new Date(`${text.slice(0, 23)}Z`);
  // JavaScript takes the 30th of February for the 2nd of March, and PostgreSQL has no year 0.
  return at.getTime() >= 0 && at.toISOString().startsWith(text.slice(0, 10));
}

/** Some of the dead in their order, and where the next look begins: null when there is nothing more. */
export interface DeadPage {
  readonly ids: readonly string[];
  readonly next: Position | null;
}

/** How many of the dead one look goes through. It bounds what a filter costs that hardly anything fits. */
const STRETCH = 10_000;

/**
 * Looks for at most `limit` dead letters after a position, through no more than `STRETCH` of the dead. A page may
 * therefore hold fewer than `limit`, even none, although there are more: `next` alone tells.
 */
export async function walkDead(
  database: Statements,
  filter: DeadLetterFilter,
  page: { after: Position | null; limit: number; order: 'newest first' | 'oldest first' },
): Promise<DeadPage> {
  const values: unknown[] = [];
  const value = (one: unknown) => `$${values.push(one)}`;
  const [direction, follows] = page.order === 'newest first' ? ['DESC', '<'] : ['ASC', '>'];
  const [at, id] = page.after?.split(',') ?? [];
  const stretch = [
    "d.state = 'dead'",
    ...(at === undefined
      ? []
      : [`(d.dead_at, d.id) ${follows} (${value(at)}::timestamptz, ${value(id)}::uuid)`]),
    ...(filter.from === undefined ? [] : [`d.dead_at >= ${value(filter.from)}`]),
    ...(filter.to === undefined ? [] : [`d.dead_at < ${value(filter.to)}`]),
  ].join(' AND ');
  const order = `ORDER BY d.dead_at ${direction}, d.id ${direction}`;
  const ofStretch = values.length;
  const found = await database.rows<{ id: string; position: Position }>(
    `SELECT d.id, ${POSITION_OF} AS position
     FROM (SELECT * FROM delivery d WHERE ${stretch} ${order} LIMIT ${STRETCH}) AS d
     LEFT JOIN notification n ON n.id = d.notification_id
     WHERE ${conditions(filter, value)} ${order} LIMIT ${value(page.limit + 1)}`,
    values,
  );
  const ids = found.slice(0, page.limit).map((row) => row.id);
  if (found.length > page.limit) return { ids, next: found[page.limit - 1]?.position ?? null };
  const [edge] = await database.rows<{ position: Position }>(
    `SELECT ${POSITION_OF} AS position FROM delivery d WHERE ${stretch} ${order} OFFSET ${STRETCH - 1} LIMIT 1`,
    values.slice(0, ofStretch),
  );
  return { ids, next: edge?.position ?? null };
}

const POSITION_OF = `to_char(d.dead_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || ',' || d.id`;

/* The last attempt is the one whose number is that of all tries. */
const LAST_ATTEMPT = 'a.delivery_id = d.id AND a.n = d.tries';

function conditions(filter: DeadLetterFilter, value: (one: unknown) => string): string {
  const wanted: readonly (readonly [string, unknown])[] = [
    ['d.failure', filter.class],
    ['d.channel', filter.channel],
    ['d.provider', filter.provider],
    ['d.priority', filter.priority],
    ['n.event_type', filter.eventType],
    ['n.person_id', filter.userId],
  ];
  const given = wanted.filter(([, one]) => one !== undefined);
  const all = ['n.canary IS NOT TRUE', ...given.map(([column, one]) => `${column} = ${value(one)}`)];
  if (filter.search !== undefined) {
    const text = `${value(filter.search)}::text`;
    all.push(
      `(d.reason = ${text} OR lower(d.address) = lower(${text}) OR n.person_id = ${text} OR n.event_type = ${text}
        OR EXISTS (SELECT 1 FROM attempt a WHERE ${LAST_ATTEMPT} AND a.code = ${text}))`,
    );
  }
  return all.join(' AND ');
}

/** What there is to say about dead letters, in the order of `ids`; one that is not dead any more is left out. */
export async function loadDead(database: Statements, ids: readonly string[]): Promise<DeadLetter[]> {
  if (ids.length === 0) return [];
  return database.rows<DeadLetter & Record<string, unknown>>(
    `SELECT d.id, d.notification_id AS "notificationId", n.person_id AS "userId", n.event_type AS "eventType",
       d.channel, d.priority, d.address, d.failure AS class, d.reason, d.provider, a.code, a.error, d.tries AS attempts,
       d.interruptions, d.dead_at AS "deadAt", d.created_at AS "createdAt", d.retryable
     FROM unnest($1::uuid[]) WITH ORDINALITY AS wanted(id, place)
     JOIN delivery d USING (id)
     JOIN notification n ON n.id = d.notification_id
     LEFT JOIN attempt a ON ${LAST_ATTEMPT}
     WHERE d.state = 'dead' ORDER BY wanted.place`,
    [ids],
  );
}

/** How fast what is replayed becomes due. */
export interface Pace {
  /** Deliveries per second. */
  readonly rate: number;
  /** When the last one of an earlier part of the same replay is due, so that the spacing goes on; null for the first part. */
  readonly after: string | null;
}

/** The job of a delivery that was brought back, with the moment it is due at, to the microsecond. */
export interface ReplaySeed extends JobSeed {
  readonly dueAt: string;
}

/**
 * Brings dead letters back, the longest dead first, one after the other at a pace: as if they had just been accepted,
 * with all attempts before them, but with the same identity, so that a provider which may have had them is asked or can
 * tell. What is not dead (any more) is left out of the answer, so of two replays at once one brings it back and the other
 * does not. Whether it may still be sent is decided when it is claimed.
 */
export async function replayDead(
  transaction: Statements,
  ids: readonly string[],
  pace: Pace,
): Promise<ReplaySeed[]> {
  return transaction.rows<ReplaySeed & Record<string, unknown>>(
    `WITH dead AS MATERIALIZED (
       SELECT id, dead_at FROM delivery WHERE id = ANY($1::uuid[]) AND state = 'dead' ORDER BY id FOR UPDATE
     ), paced AS MATERIALIZED (
       SELECT id, (row_number() OVER (ORDER BY dead_at, id) - 1)::float8 AS place FROM dead
     ), back AS (
       UPDATE delivery d SET state = 'queued', reason = 'replayed', generation = d.generation + 1,
         due_at = greatest(now(), $3::timestamptz + interval '1 second' / $2::float8) + interval '1 second' * (paced.place / $2::float8),
         attempts = 0, round = 1, round_at = NULL, interruptions = 0, retryable = false, failure = NULL, dead_at = NULL,
         updated_at = now()
       FROM paced WHERE d.id = paced.id
       RETURNING d.*, paced.place
     )
     SELECT id AS "deliveryId", notification_id AS "notificationId", channel, priority, generation,
       greatest(0, extract(epoch FROM due_at - now()) * 1000)::float8 AS "delayMs",
       to_char(due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "dueAt"
     FROM back ORDER BY place`,
    [ids, pace.rate, pace.after],
  );
}

/** The states that deliveries are in; an id that nobody knows is left out. */
export async function statesOf(
  database: Statements,
  ids: readonly string[],
): Promise<Map<string, DeliveryState>> {
  const rows = await database.rows<{ id: string; state: DeliveryState }>(
    'SELECT id, state FROM delivery WHERE id = ANY($1::uuid[])',
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row.state]));
}
