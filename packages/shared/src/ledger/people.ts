import { asc, eq, gt, sql } from 'drizzle-orm';
import type { Database } from './database.js';
import { retryTransient } from './retry-transient.js';
import { groupMember, inboxItem, person } from './schema.js';
import { isWaiting } from './states.js';

/** A person as stored, with the groups they belong to. */
export interface Person {
  readonly id: string;
  readonly email: string | null;
  readonly phone: string | null;
  readonly locale: string;
  readonly timezone: string;
  readonly roles: readonly string[];
  readonly active: boolean;
  readonly groups: readonly string[];
  readonly preferences: Readonly<Record<string, boolean>>;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What may be given when a person is written; what is left out keeps its value, or has its default for a new person. */
export interface PersonChange {
  readonly email?: string | null | undefined;
  readonly phone?: string | null | undefined;
  readonly locale?: string | undefined;
  readonly timezone?: string | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly active?: boolean | undefined;
  readonly groups?: readonly string[] | undefined;
}

/** Creates or changes a person. `created` tells which. */
export async function putPerson(
  database: Database,
  id: string,
  change: PersonChange,
): Promise<{ created: boolean; person: Person }> {
  const { groups, roles, ...columns } = change;
  const given = Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
  const values = { ...given, ...(roles === undefined ? {} : { roles: [...roles] }) };
  return database.orm.transaction(async (transaction) => {
    // One statement, which also locks the row: whoever erases the person meanwhile waits until this is whole.
    const [written] = await transaction
      .insert(person)
      .values({ id, ...values })
      .onConflictDoUpdate({ target: person.id, set: { ...values, updatedAt: sql`now()` } })
      .returning({ created: sql<boolean>`xmax = 0` });
    if (groups !== undefined) {
      await transaction.delete(groupMember).where(eq(groupMember.personId, id));
      const memberships = [...new Set(groups)].map((groupId) => ({ groupId, personId: id }));
      if (memberships.length > 0) await transaction.insert(groupMember).values(memberships);
    }
    const stored = await findPerson({ orm: transaction }, id);
    if (written === undefined || stored === null) throw new Error('A person vanished while being written.');
    return { created: written.created, person: stored };
  });
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

/** People in the order of their ids, after `afterId`, without their groups. */
export async function listPeople(
  database: Database,
  page: { afterId: string; limit: number },
): Promise<Omit<Person, 'groups'>[]> {
  return database.orm
    .select()
    .from(person)
    .where(gt(person.id, page.afterId))
    .orderBy(asc(person.id))
    .limit(page.limit);
}

/** Replaces the preferences that are given and keeps the others. Null when there is no such person. */
export async function putPreferences(
  database: Database,
  id: string,
  preferences: Readonly<Record<string, boolean>>,
): Promise<Readonly<Record<string, boolean>> | null> {
  const rows = await database.rows<{ preferences: Record<string, boolean> }>(
    'UPDATE person SET preferences = preferences || $2::jsonb, updated_at = now() WHERE id = $1 RETURNING preferences',
    [id, JSON.stringify(preferences)],
  );
  return rows[0]?.preferences ?? null;
}

/**
 * Erases a person: their row, their groups, their addresses wherever they are theirs, the text of everything that was
 * ever sent to them. What has not been sent is cancelled. The bare facts (that something was sent, when, how it ended) stay. False when unknown.
 */
export async function erasePerson(database: Database, id: string): Promise<boolean> {
  return retryTransient(() =>
    database.orm.transaction(async (transaction) => {
      const [erased] = await transaction
        .delete(person)
        .where(eq(person.id, id))
        .returning({ email: person.email, phone: person.phone, webhookUrl: person.webhookUrl });
      if (erased === undefined) return false;
      await transaction.execute(sql`
        DELETE FROM suppression
        WHERE (channel = 'email' AND address = lower(${erased.email})) OR (channel = 'sms' AND address = ${erased.phone})
          OR (channel = 'webhook' AND address = ${erased.webhookUrl})`);
      await transaction.execute(sql`
        WITH theirs AS MATERIALIZED (
          SELECT delivery.id FROM delivery JOIN notification ON notification.id = notification_id
          WHERE person_id = ${id} ORDER BY delivery.id FOR UPDATE OF delivery
        )
        UPDATE delivery d SET address = NULL, updated_at = now(), retryable = false,
          state = CASE WHEN ${sql.raw(isWaiting('d.state'))} THEN 'cancelled' ELSE d.state END,
          reason = CASE WHEN ${sql.raw(isWaiting('d.state'))} THEN 'person_erased' ELSE d.reason END
        FROM theirs WHERE d.id = theirs.id`);
      await transaction.delete(inboxItem).where(eq(inboxItem.personId, id));
      // What was accepted since the statement above still has its address: without its person it would pass for a message
      // to a bare one. It keeps them, and is suppressed when it is claimed.
      await transaction.execute(sql`
        UPDATE notification SET person_id = NULL, title = NULL, message = NULL, html = NULL, context = '{}', data = '{}'
        WHERE person_id = ${id} AND NOT EXISTS (
          SELECT 1 FROM delivery WHERE notification_id = notification.id AND address IS NOT NULL)`);
      return true;
    }),
  );
}
