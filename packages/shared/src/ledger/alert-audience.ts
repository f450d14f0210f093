import type { AlertTargets } from '../domain/alert.js';
import { type Addressee, loadAddressees } from './addressees.js';
import type { Statements } from './database.js';
import { onCallFor } from './on-call.js';

/** More people than this one step does not tell: a group of thousands is what a broadcast is for. */
const MOST_TOLD = 500;

/** Who is to be told, and how they were found. */
export interface AlertAudience {
  /** Active people, each once, in the order of their ids. */
  readonly people: readonly Addressee[];
  /** Nobody was named who could be told, so everybody with the role `admin` is. */
  readonly fellBack: boolean;
  /** How many more there would have been. */
  readonly leftOut: number;
}

/** The people of a step at this moment. When it comes to nobody, they are the admins; when there are none, it is empty. */
export async function findAudience(
  transaction: Statements,
  alertType: string,
  targets: AlertTargets,
): Promise<AlertAudience> {
  const named = await idsOf(transaction, alertType, targets);
  const fellBack = named.length === 0 && targets.admins !== true;
  const ids = fellBack ? await idsOf(transaction, alertType, { admins: true }) : named;
  // In the order of their ids, as everybody takes them.
  const people = await loadAddressees(transaction, ids.slice(0, MOST_TOLD).toSorted());
  return {
    people: people.filter((person) => person !== null),
    fellBack,
    leftOut: Math.max(0, ids.length - MOST_TOLD),
  };
}

/** Those who are expected to act come first, so that a large group leaves none of them out. */
async function idsOf(
  transaction: Statements,
  alertType: string,
  { users = [], groups = [], on_call = false, admins = false }: AlertTargets,
): Promise<string[]> {
  const onCall = on_call ? await onCallFor(transaction, alertType) : [];
  const rows = await transaction.rows<{ id: string }>(TARGETS, [onCall, users, groups, admins]);
  return rows.map(({ id }) => id);
}

/* The condition on the roles is written as the index has it. */
const TARGETS = `
SELECT id FROM (
  SELECT id, 1 AS place FROM person WHERE active AND id = ANY($1::text[])
  UNION ALL SELECT id, 2 FROM person WHERE active AND id = ANY($2::text[])
  UNION ALL SELECT id, 3 FROM person WHERE $4::boolean AND active AND roles && '{admin,Admin,ADMIN}'
  UNION ALL SELECT p.id, 4 FROM group_member m JOIN person p ON p.id = m.person_id
    WHERE p.active AND m.group_id = ANY($3::text[])
) AS named GROUP BY id ORDER BY min(place), id`;
