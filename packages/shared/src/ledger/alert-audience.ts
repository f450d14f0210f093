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
  const people = await loadAddressees(transaction, ids.slice(0, MOST_TOLD));
  return {
    people: people.filter((person) => person !== null),
    fellBack,
    leftOut: Math.max(0, ids.length - MOST_TOLD),
  };
}

async function idsOf(
  transaction: Statements,
  alertType: string,
  { users = [], groups = [], on_call = false, admins = false }: AlertTargets,
): Promise<string[]> {
  const onCall = on_call ? await onCallFor(transaction, alertType) : [];
  const rows = await transaction.rows<{ id: string }>(TARGETS, [[...users, ...onCall], groups, admins]);
  return rows.map(({ id }) => id);
}

/* The condition on the roles is written as the index has it. */
const TARGETS = `
SELECT id FROM person WHERE active AND id = ANY($1::text[])
UNION SELECT p.id FROM group_member m JOIN person p ON p.id = m.person_id
  WHERE p.active AND m.group_id = ANY($2::text[])
UNION SELECT id FROM person WHERE $3::boolean AND active AND roles && '{admin,Admin,ADMIN}'
ORDER BY id`;
