import { and, arrayContains, asc, eq, exists, gt, type SQL, sql } from 'drizzle-orm';
import type { Wishes, WishesChange } from '../domain/wishes.js';
import { type Actor, actorOn, personTarget, recordAudit } from './audit.js';
import type { Database } from './database.js';
import { retryTransient } from './retry-transient.js';
import { groupMember, person } from './schema.js';
import { mergedEventsSql, type PersonChange, writePeople } from './write-people.js';

/** A person as stored, with the groups they belong to. */
export interface Person extends Wishes {
  readonly id: string;
  readonly email: string | null;
  readonly phone: string | null;
  readonly locale: string;
  readonly timezone: string;
  readonly roles: readonly string[];
  readonly active: boolean;
  readonly groups: readonly string[];
  readonly webhookUrl: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Creates or changes a person. `created` tells which. */
export async function putPerson(
  database: Database,
  id: string,
  change: PersonChange,
  actor: Actor,
): Promise<{ created: boolean; person: Person }> {
  return retryTransient(() =>
    database.transaction(async (transaction) => {
      const [written] = await writePeople(transaction, [{ id, change }]);
      // The row is locked by now: whoever erases the person meanwhile waits until this is whole.
      const stored = await findPerson(transaction, id);
      if (written === undefined || stored === null) throw new Error('A person vanished while being written.');
      const { created, fields, auditId } = written;
      await recordAudit(transaction, {
        actor: actorOn(actor, written),
        action: 'person.put',
        target: personTarget(auditId),
        details: { created, fields },
      });
      return { created, person: stored };
    }),
  );
}

/** The person with this id, or null. */
export async function findPerson(database: Pick<Database, 'orm'>, id: string): Promise<Person | null> {
  const [row] = await database.orm.select().from(person).where(eq(person.id, id));
  if (row === undefined) return null;
  const memberships = await database.orm
    .select({ groupId: groupMember.groupId })
    .from(groupMember)
    .where(eq(groupMember.personId, id))
    .orderBy(asc(groupMember.groupId));
  return { ...row, groups: memberships.map((membership) => membership.groupId) };
}

/** Filters of the list; all that are given must hold. */
export interface PersonFilter {
  /** A part of the id, the mailbox or the telephone number, in any case. No control characters. */
  readonly search?: string | undefined;
  readonly active?: boolean | undefined;
  readonly group?: string | undefined;
  readonly role?: string | undefined;
}

/** People in the order of their ids, after `afterId`, without their groups. */
export async function listPeople(
  database: Database,
  filter: PersonFilter,
  page: { afterId: string; limit: number },
): Promise<Omit<Person, 'groups'>[]> {
  return database.orm
    .select()
    .from(person)
    .where(and(gt(person.id, page.afterId), ...conditions(database, filter)))
    .orderBy(asc(person.id))
    .limit(page.limit);
}

function conditions(database: Database, filter: PersonFilter): (SQL | undefined)[] {
  return [
    filter.search === undefined ? undefined : mentions(filter.search),
    filter.active === undefined ? undefined : eq(person.active, filter.active),
    filter.role === undefined ? undefined : arrayContains(person.roles, [filter.role]),
    filter.group === undefined ? undefined : exists(membership(database, filter.group)),
  ];
}

/**
 * A part, not only a beginning: operators remember a surname out of `a.surname@…` and the end of a number. No index serves that
 * without an extension, so the rows are looked through in the order of their ids until a page is full. The three texts are
 * looked through as one, with the cheapest way there is to make small letters; addresses and ids are ASCII.
 */
function mentions(part: string): SQL {
  const texts = sql`${person.id} || E'\n' || coalesce(${person.email}, '') || E'\n' || coalesce(${person.phone}, '')`;
  return sql`strpos(lower((${texts}) COLLATE "C"), lower(${part} COLLATE "C")) > 0`;
}

function membership(database: Database, group: string) {
  return database.orm
    .select({ one: sql`1` })
    .from(groupMember)
    .where(and(eq(groupMember.groupId, group), eq(groupMember.personId, person.id)));
}

/** Replaces the wishes that are given, by channel and event, and keeps the others. Null when there is no such person. */
export async function putPreferences(
  database: Database,
  id: string,
  change: WishesChange,
  actor: Actor,
): Promise<Wishes | null> {
  const { preferences = {}, eventPreferences = {}, quietHours } = change;
  return database.transaction(async (transaction) => {
    const [row] = await transaction.rows<Wishes & { auditId: string }>(PUT_WISHES, [
      id,
      JSON.stringify(preferences),
      JSON.stringify(eventPreferences),
      quietHours !== undefined,
      quietHours === undefined || quietHours === null ? null : JSON.stringify(quietHours),
    ]);
    if (row === undefined) return null;
    const { auditId, ...wishes } = row;
    await recordAudit(transaction, {
      actor: actorOn(actor, { id, auditId }),
      action: 'preferences.put',
      target: personTarget(auditId),
      // Which channels, not whether: what somebody wishes is theirs.
      details: {
        fields: [
          ...Object.keys(preferences),
          ...(change.eventPreferences === undefined ? [] : ['events']),
          ...(quietHours === undefined ? [] : ['quiet_hours']),
        ],
      },
    });
    return wishes;
  });
}

const PUT_WISHES = `
UPDATE person SET preferences = preferences || $2::jsonb,
  event_preferences = ${mergedEventsSql('event_preferences', '$3::jsonb')},
  quiet_hours = CASE WHEN $4 THEN $5::jsonb ELSE quiet_hours END, updated_at = now()
WHERE id = $1
RETURNING preferences, event_preferences AS "eventPreferences", quiet_hours AS "quietHours", audit_id AS "auditId"`;
