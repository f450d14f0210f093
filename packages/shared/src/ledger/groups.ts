import { type Actor, actorOn, personTarget, recordAudit } from './audit.js';
import type { Database } from './database.js';
import { retryTransient } from './retry-transient.js';

/** A group is there for as long as it has a member. */
export interface Group {
  readonly id: string;
  /** How many people are in it, also those who are switched off. */
  readonly members: number;
}

export interface Member {
  readonly id: string;
  readonly active: boolean;
  /** Since when. */
  readonly joinedAt: Date;
}

/** What a change of a membership found: whether it changed anything, or that there is no such person. */
export type MembershipChange = { readonly changed: boolean; readonly joinedAt: Date | null } | null;

/** Puts a person into a group. Doing it again changes nothing, not even since when they are in it. */
export function addMember(
  database: Database,
  groupId: string,
  personId: string,
  actor: Actor,
): Promise<MembershipChange> {
  return change(database, groupId, personId, actor, 'group.add', ADD);
}

/** Takes a person out of a group, if they are in it. */
export function removeMember(
  database: Database,
  groupId: string,
  personId: string,
  actor: Actor,
): Promise<MembershipChange> {
  return change(database, groupId, personId, actor, 'group.remove', REMOVE);
}

/* Both hold the person's row: whoever erases them meanwhile comes before or after, and never in between. */
const HELD = `held AS MATERIALIZED (SELECT id, audit_id FROM person WHERE id = $2 FOR KEY SHARE)`;

/*
 * Whoever is put in by another call at this moment is not to be seen by the statement: that nothing is changed, and read by it,
 * waits for that call. A row that is new has never been locked or changed, so its xmax is 0.
 */
const ADD = `
WITH ${HELD}, member AS (
  INSERT INTO group_member (group_id, person_id) SELECT $1, id FROM held
  ON CONFLICT (group_id, person_id) DO UPDATE SET created_at = group_member.created_at
  RETURNING created_at, xmax = 0 AS added
)
SELECT held.audit_id AS "auditId", member.added AS changed, member.created_at AS "joinedAt" FROM held, member`;

const REMOVE = `
WITH ${HELD}, changed AS (
  DELETE FROM group_member WHERE group_id = $1 AND person_id IN (SELECT id FROM held) RETURNING 1
)
SELECT held.audit_id AS "auditId", EXISTS (SELECT 1 FROM changed) AS changed, NULL::timestamptz AS "joinedAt" FROM held`;

async function change(
  database: Database,
  groupId: string,
  personId: string,
  actor: Actor,
  action: 'group.add' | 'group.remove',
  statement: string,
): Promise<MembershipChange> {
  return retryTransient(() =>
    database.transaction(async (transaction) => {
      const [row] = await transaction.rows<{ auditId: string; changed: boolean; joinedAt: Date | null }>(
        statement,
        [groupId, personId],
      );
      if (row === undefined) return null;
      const { auditId, changed, joinedAt } = row;
      // Nothing has been done by a repetition.
      if (changed)
        await recordAudit(transaction, {
          actor: actorOn(actor, { id: personId, auditId }),
          action,
          target: personTarget(auditId),
          details: { group: groupId },
        });
      return { changed, joinedAt };
    }),
  );
}

/** Groups in the order of their ids, after `afterId`; `search` is a part of the id, in any case. */
export function listGroups(
  database: Database,
  filter: { readonly search?: string | undefined },
  page: { afterId: string; limit: number },
): Promise<Group[]> {
  return database.rows<Group & Record<string, unknown>>(
    `SELECT group_id AS id, count(*)::int AS members FROM group_member
     WHERE group_id > $1 AND ($2::text IS NULL OR strpos(lower(group_id COLLATE "C"), lower($2 COLLATE "C")) > 0)
     GROUP BY group_id ORDER BY group_id LIMIT $3`,
    [page.afterId, filter.search ?? null, page.limit],
  );
}

/** How many people are in a group; 0 when there is no such group. */
export async function countMembers(database: Database, groupId: string): Promise<number> {
  const [row] = await database.rows<{ members: number }>(
    'SELECT count(*)::int AS members FROM group_member WHERE group_id = $1',
    [groupId],
  );
  return row?.members ?? 0;
}

/** True when anybody is in the group. */
export async function isGroup(database: Database, groupId: string): Promise<boolean> {
  const rows = await database.rows('SELECT 1 FROM group_member WHERE group_id = $1 LIMIT 1', [groupId]);
  return rows.length > 0;
}

/** The members of a group in the order of their ids, after `afterId`. */
export function listMembers(
  database: Database,
  groupId: string,
  page: { afterId: string; limit: number },
): Promise<Member[]> {
  return database.rows<Member & Record<string, unknown>>(
    `SELECT m.person_id AS id, p.active, m.created_at AS "joinedAt"
     FROM group_member m JOIN person p ON p.id = m.person_id
     WHERE m.group_id = $1 AND m.person_id > $2 ORDER BY m.person_id LIMIT $3`,
    [groupId, page.afterId, page.limit],
  );
}
