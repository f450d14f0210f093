import {
  DEFAULT_ON_CALL,
  type OnCallLayer,
  type OnCallOverride,
  type OnCallSchedule,
} from '../domain/on-call.js';
import { onCallAt } from '../domain/on-call-at.js';
import { type Actor, actorOn, recordAudit } from './audit.js';
import type { Database, Statements } from './database.js';
import { retryTransient } from './retry-transient.js';

/** An override with where it comes from. */
export interface StoredOverride extends OnCallOverride {
  /** The subject of the token that made it. */
  readonly created_by: string;
  readonly created_at: Date;
}

/** Who is on call for a type of alert, as it is written. */
export interface StoredOnCall extends OnCallSchedule {
  readonly alertType: string;
  readonly overrides: readonly StoredOverride[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** The moment that was asked for; now, by the database's clock, when none was. */
  readonly at: Date;
}

/**
 * The ids of those who are on call for a type of alert, each once: by the schedule named `default` when nothing was said of the
 * type, and nobody when there is none either. Now, by the database's clock, or at another moment. Also as a part of a transaction.
 *
 * They are as the schedule has them: whether somebody is switched off is asked of the person by whoever tells them.
 */
export async function onCallFor(
  statements: Statements,
  alertType: string,
  at?: Date,
): Promise<readonly string[]> {
  const found =
    (await findOnCall(statements, alertType, at)) ?? (await findOnCall(statements, DEFAULT_ON_CALL, at));
  return found === null ? [] : onCallAt(found, found.at).user_ids;
}

/**
 * The schedule of a type, with the overrides that end after `at` (now when absent), and begin before `to` if that is given;
 * null when nothing was said of the type.
 */
export async function findOnCall(
  statements: Statements,
  alertType: string,
  at?: Date,
  to?: Date,
): Promise<StoredOnCall | null> {
  const [row] = await statements.rows<Row>(`${SELECT} FROM on_call s, moment WHERE alert_type = $1`, [
    alertType,
    at ?? null,
    to ?? null,
  ]);
  return row === undefined ? null : onCallIn(row);
}

/** The schedules in the order of their types, after `afterId`, each with the overrides that have not ended. */
export async function listOnCall(
  database: Database,
  page: { afterId: string; limit: number },
): Promise<StoredOnCall[]> {
  const rows = await database.rows<Row>(
    `${SELECT} FROM on_call s, moment WHERE alert_type > $1 ORDER BY alert_type LIMIT $4`,
    [page.afterId, null, null, page.limit],
  );
  return rows.map(onCallIn);
}

/** A transaction may have begun long before it asks: the clock's own time, not that of its beginning. */
const SELECT = `
WITH moment AS MATERIALIZED (SELECT coalesce($2, clock_timestamp()) AS at, $3::timestamptz AS "to")
SELECT alert_type AS "alertType", user_ids, layers, created_at AS "createdAt", updated_at AS "updatedAt", moment.at,
  coalesce((SELECT json_agg(json_build_object('id', id, 'user_id', user_id, 'replaces', replaces, 'starts_at', starts_at,
      'ends_at', ends_at, 'created_by', created_by, 'created_at', created_at) ORDER BY id)
    FROM on_call_override o WHERE o.alert_type = s.alert_type AND o.ends_at > moment.at
      AND (moment.to IS NULL OR o.starts_at < moment.to)), '[]') AS overrides`;

type Dates = 'starts_at' | 'ends_at' | 'created_at';
type Row = Omit<StoredOnCall, 'overrides'> & {
  readonly overrides: readonly (Omit<StoredOverride, Dates> & Readonly<Record<Dates, string>>)[];
};

function onCallIn(row: Row): StoredOnCall {
  return {
    ...row,
    overrides: row.overrides.map((override) => ({
      ...override,
      starts_at: new Date(override.starts_at),
      ends_at: new Date(override.ends_at),
      created_at: new Date(override.created_at),
    })),
  };
}

/** What is written of a type; what is absent stays as it is. */
export interface OnCallChange {
  readonly userIds?: readonly string[] | undefined;
  readonly layers?: readonly OnCallLayer[] | undefined;
}

/** Nothing was written, for there are no people with these ids. */
export interface UnknownPeople {
  readonly kind: 'unknown_people';
  readonly ids: readonly string[];
}

export type OnCallPut = { readonly kind: 'put'; readonly onCall: StoredOnCall } | UnknownPeople;

/** Says who is on call for a type of alert, and writes down who said so. */
export function putOnCall(
  database: Database,
  alertType: string,
  { userIds, layers }: OnCallChange,
  actor: Actor,
): Promise<OnCallPut> {
  return retryTransient(() =>
    database.transaction(async (transaction): Promise<OnCallPut> => {
      const people = [...(userIds ?? []), ...(layers ?? []).flatMap(({ user_ids }) => user_ids)];
      const held = await holdPeople(transaction, [...people, actor.sub]);
      const unknown = [...new Set(people)].filter((id) => !held.has(id));
      if (unknown.length > 0) return { kind: 'unknown_people', ids: unknown };
      const [row] = await transaction.rows<{ created: boolean; people: number; layers: number }>(PUT, [
        alertType,
        userIds ?? null,
        layers === undefined ? null : JSON.stringify(layers),
      ]);
      const onCall = await findOnCall(transaction, alertType);
      if (row === undefined || onCall === null) throw new Error('A statement without a row.');
      await recordAudit(transaction, {
        actor: actorAmong(actor, held),
        action: 'on_call.put',
        target: onCallTarget(alertType),
        details: row,
      });
      return { kind: 'put', onCall };
    }),
  );
}

const PUT = `
INSERT INTO on_call (alert_type, user_ids, layers) VALUES ($1, coalesce($2::text[], '{}'), coalesce($3::jsonb, '[]'))
ON CONFLICT (alert_type) DO UPDATE SET user_ids = coalesce($2::text[], on_call.user_ids),
  layers = coalesce($3::jsonb, on_call.layers), updated_at = now()
RETURNING xmax = 0 AS created, cardinality(user_ids) AS people, jsonb_array_length(layers) AS layers`;

/**
 * Holds the rows of people: whoever erases them meanwhile comes before, or after and finds what is written of them. What the
 * audit trail calls those who are there, by their ids.
 */
export async function holdPeople(
  transaction: Statements,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await transaction.rows<{ id: string; auditId: string }>(
    'SELECT id, audit_id AS "auditId" FROM person WHERE id = ANY($1::text[]) ORDER BY id FOR KEY SHARE',
    [ids],
  );
  return new Map(rows.map(({ id, auditId }) => [id, auditId]));
}

/** Somebody who puts themselves on call is named as the person they are. */
export function actorAmong(actor: Actor, held: ReadonlyMap<string, string>): Actor {
  const auditId = held.get(actor.sub);
  return auditId === undefined ? actor : actorOn(actor, { id: actor.sub, auditId });
}

/** Those of these people who are switched off, and so are told nothing. */
export async function inactiveAmong(statements: Statements, ids: readonly string[]): Promise<string[]> {
  const rows = await statements.rows<{ id: string }>(
    'SELECT id FROM person WHERE id = ANY($1::text[]) AND NOT active ORDER BY id',
    [ids],
  );
  return rows.map(({ id }) => id);
}

/** Forgets a type with its overrides, and writes down who did. False when nothing was said of it. */
export function deleteOnCall(database: Database, alertType: string, actor: Actor): Promise<boolean> {
  return retryTransient(() =>
    database.transaction(async (transaction) => {
      const rows = await transaction.rows('DELETE FROM on_call WHERE alert_type = $1 RETURNING 1', [
        alertType,
      ]);
      if (rows.length === 0) return false;
      await transaction.rows('DELETE FROM on_call_override WHERE alert_type = $1', [alertType]);
      await recordAudit(transaction, { actor, action: 'on_call.delete', target: onCallTarget(alertType) });
      return true;
    }),
  );
}

/** What the audit trail calls a type of alert for which people are on call. */
export function onCallTarget(alertType: string): string {
  return `on_call:${alertType}`;
}

/**
 * Takes a person off every list and out of every rotation; where they stand in, and where somebody does for them, it is over.
 * A layer of which they were the last goes. `name` is what is written for them where they made an override for others.
 */
export async function takeOffCall(transaction: Statements, personId: string, name: string): Promise<void> {
  await transaction.rows(TAKE_OFF, [personId]);
  // The answer to a call that made one, for its `Idempotency-Key`.
  await transaction.rows(
    `DELETE FROM idempotency_key WHERE status = 201
       AND $1 IN (body->>'user_id', body->>'replaces', body->>'created_by')`,
    [personId],
  );
  // An override of theirs with `replaces` taken away would be one for everybody.
  await transaction.rows('DELETE FROM on_call_override WHERE user_id = $1 OR replaces = $1', [personId]);
  await transaction.rows('UPDATE on_call_override SET created_by = $2 WHERE created_by = $1', [
    personId,
    name,
  ]);
}

const TAKE_OFF = `
UPDATE on_call SET user_ids = array_remove(user_ids, $1), updated_at = now(),
  layers = coalesce((
    SELECT jsonb_agg(jsonb_set(layer, '{user_ids}', (layer->'user_ids') - $1) ORDER BY place)
    FROM jsonb_array_elements(layers) WITH ORDINALITY AS one (layer, place)
    WHERE (layer->'user_ids') - $1 <> '[]'), '[]')
WHERE $1 = ANY(user_ids)
  OR EXISTS (SELECT 1 FROM jsonb_array_elements(layers) AS layer WHERE layer->'user_ids' ? $1)`;
