import { newId } from '../domain/ids.js';
import type { OnCallOverride } from '../domain/on-call.js';
import type { KeptAnswer } from './accept.js';
import { type Actor, personTarget, recordAudit } from './audit.js';
import type { Database, Statements } from './database.js';
import { keepAnswer } from './idempotency.js';
import {
  actorAmong,
  findOnCall,
  holdPeople,
  onCallTarget,
  type StoredOnCall,
  type StoredOverride,
  type UnknownPeople,
} from './on-call.js';
import { retryTransient } from './retry-transient.js';

/** Overrides of one type at once that have not ended. */
export const MOST_OVERRIDES = 200;

/**
 * What came of an override. `not_in_it`: whoever is to be replaced is in no
 * list and no layer of the type, and stands in for nobody. `too_many`: as many as may be have not ended. `taken`: another
 * call with the same key was first, and its answer stands.
 */
export type OverrideAdded =
  | { readonly kind: 'added'; readonly override: StoredOverride }
  | { readonly kind: 'unknown_type' | 'not_in_it' | 'too_many' }
  | { readonly kind: 'taken' }
  | UnknownPeople;

class Taken extends Error {}

/** Lets somebody stand in, with the answer to the call in the same commit, and writes down who said so. */
export async function addOverride(
  database: Database,
  alertType: string,
  given: Omit<OnCallOverride, 'id'>,
  actor: Actor,
  answer: (override: StoredOverride) => KeptAnswer | null,
): Promise<OverrideAdded> {
  const act = async (transaction: Statements): Promise<OverrideAdded> => {
    const named = given.replaces === null ? [given.user_id] : [given.user_id, given.replaces];
    const held = await holdPeople(transaction, [...named, actor.sub]);
    await transaction.rows('SELECT 1 FROM on_call WHERE alert_type = $1 FOR UPDATE', [alertType]);
    const onCall = await findOnCall(transaction, alertType);
    if (onCall === null) return { kind: 'unknown_type' };
    const unknown = named.filter((id) => !held.has(id));
    if (unknown.length > 0) return { kind: 'unknown_people', ids: unknown };
    if (given.replaces !== null && !isInIt(onCall, given.replaces)) return { kind: 'not_in_it' };
    if (onCall.overrides.length >= MOST_OVERRIDES) return { kind: 'too_many' };
    const override = await insert(transaction, alertType, given, actor);
    await recordAudit(transaction, {
      actor: actorAmong(actor, held),
      action: 'on_call.override',
      target: onCallTarget(alertType),
      details: {
        override: override.id,
        people: named.map((id) => personTarget(held.get(id) ?? '')),
        starts_at: given.starts_at,
        ends_at: given.ends_at,
      },
    });
    const kept = answer(override);
    if (kept !== null && !(await keepAnswer(transaction, kept))) throw new Taken();
    return { kind: 'added', override };
  };
  try {
    return await retryTransient(() => database.transaction(act));
  } catch (error) {
    if (error instanceof Taken) return { kind: 'taken' };
    throw error;
  }
}

function isInIt({ user_ids, layers, overrides }: StoredOnCall, id: string): boolean {
  return (
    user_ids.includes(id) ||
    layers.some((layer) => layer.user_ids.includes(id)) ||
    overrides.some((override) => override.user_id === id)
  );
}

async function insert(
  transaction: Statements,
  alertType: string,
  { user_id, replaces, starts_at, ends_at }: Omit<OnCallOverride, 'id'>,
  actor: Actor,
): Promise<StoredOverride> {
  const [row] = await transaction.rows<StoredOverride & Record<string, unknown>>(
    `INSERT INTO on_call_override (id, alert_type, user_id, replaces, starts_at, ends_at, created_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     RETURNING id, user_id, replaces, starts_at, ends_at, created_by, created_at`,
    [newId(), alertType, user_id, replaces, starts_at, ends_at, actor.sub],
  );
  if (row === undefined) throw new Error('A statement without a row.');
  return row;
}

/** The overrides of a type in the order in which they were made, after `afterId`, also those that have ended. */
export function listOverrides(
  database: Database,
  alertType: string,
  page: { afterId: string; limit: number },
): Promise<StoredOverride[]> {
  return database.rows<StoredOverride & Record<string, unknown>>(
    `SELECT id, user_id, replaces, starts_at, ends_at, created_by, created_at FROM on_call_override
     WHERE alert_type = $1 AND id > $2 ORDER BY id LIMIT $3`,
    [alertType, page.afterId, page.limit],
  );
}

/** Takes an override away, and writes down who did. False when the type has none with this id. */
export function removeOverride(
  database: Database,
  alertType: string,
  id: string,
  actor: Actor,
): Promise<boolean> {
  return retryTransient(() =>
    database.transaction(async (transaction) => {
      const rows = await transaction.rows(
        'DELETE FROM on_call_override WHERE alert_type = $1 AND id = $2 RETURNING 1',
        [alertType, id],
      );
      if (rows.length === 0) return false;
      await recordAudit(transaction, {
        actor,
        action: 'on_call.override_removed',
        target: onCallTarget(alertType),
        details: { override: id },
      });
      return true;
    }),
  );
}
