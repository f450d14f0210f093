import { DEFAULT_POLICY, type EscalationPolicy } from '../domain/alert.js';
import type { FieldError } from '../domain/refusal.js';
import { type Actor, recordAudit } from './audit.js';
import type { Database, Statements } from './database.js';
import { retryTransient } from './retry-transient.js';

/** A policy that somebody wrote. */
export interface WrittenPolicy extends EscalationPolicy {
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

type Row<Of> = Of & Record<string, unknown>;
const POLICY = 'name, steps, repeat, created_at AS "createdAt", updated_at AS "updatedAt"';

/**
 * The policy that an alert follows: the one that was asked for, else the one named as its type, else `default`. Null when none
 * of them has been written.
 */
export async function choosePolicy(
  statements: Statements,
  { asked, alertType }: { readonly asked: string | null; readonly alertType: string },
): Promise<EscalationPolicy | null> {
  const names = asked === null ? [alertType, DEFAULT_POLICY] : [asked];
  const [row] = await statements.rows<Row<EscalationPolicy>>(
    `SELECT name, steps, repeat FROM escalation_policy WHERE name = ANY($1::text[])
     ORDER BY array_position($1::text[], name) LIMIT 1`,
    [names],
  );
  return row ?? null;
}

/** Written, with whether there was none of its name; or what is wrong with it: people and groups that are not here. */
export type PolicyPut =
  | { readonly kind: 'written'; readonly created: boolean; readonly policy: WrittenPolicy }
  | { readonly kind: 'refused'; readonly errors: readonly FieldError[] };

/** Writes a policy, in the place of the one that has its name. Alerts that are open go on by the one that they were opened with. */
export function putPolicy(database: Database, policy: EscalationPolicy, actor: Actor): Promise<PolicyPut> {
  return retryTransient(() =>
    database.transaction(async (transaction): Promise<PolicyPut> => {
      const errors = await unknownIn(transaction, policy);
      if (errors.length > 0) return { kind: 'refused', errors };
      // A row that is new has never been locked or changed, so its xmax is 0.
      const [row] = await transaction.rows<Row<WrittenPolicy & { created: boolean }>>(
        `INSERT INTO escalation_policy (name, steps, repeat) VALUES ($1, $2::jsonb, $3)
         ON CONFLICT (name) DO UPDATE SET steps = excluded.steps, repeat = excluded.repeat, updated_at = now()
         RETURNING ${POLICY}, xmax = 0 AS created`,
        [policy.name, JSON.stringify(policy.steps), policy.repeat],
      );
      if (row === undefined) throw new Error('A statement without a row.');
      const { created, ...written } = row;
      const details = { created, steps: policy.steps.length, repeat: policy.repeat };
      await recordAudit(transaction, {
        actor,
        action: 'escalation_policy.put',
        target: targetOf(policy.name),
        details,
      });
      return { kind: 'written', created, policy: written };
    }),
  );
}

/** Where a policy names people or groups that are not here. A group is here for as long as somebody is in it. */
async function unknownIn(transaction: Statements, { steps }: EscalationPolicy): Promise<FieldError[]> {
  const users = steps.flatMap(({ notify }, step) => placesIn(notify.users, `steps.${step}.notify.users`));
  const groups = steps.flatMap(({ notify }, step) => placesIn(notify.groups, `steps.${step}.notify.groups`));
  const [people, members] = [new Set<string>(), new Set<string>()];
  const rows = await transaction.rows<{ id: string; person: boolean }>(
    `SELECT id, true AS person FROM person WHERE id = ANY($1::text[])
     UNION ALL SELECT DISTINCT group_id, false FROM group_member WHERE group_id = ANY($2::text[])`,
    [users.map(({ id }) => id), groups.map(({ id }) => id)],
  );
  for (const { id, person } of rows) (person ? people : members).add(id);
  return [
    ...users
      .filter(({ id }) => !people.has(id))
      .map(({ id, path }) => ({ path, message: `There is no person "${id}" here.` })),
    ...groups
      .filter(({ id }) => !members.has(id))
      .map(({ id, path }) => ({ path, message: `There is no group "${id}": nobody is in it.` })),
  ];
}

function placesIn(ids: readonly string[] | undefined, path: string): { id: string; path: string }[] {
  return (ids ?? []).map((id, index) => ({ id, path: `${path}.${index}` }));
}

/** The policy of this name, or null when nobody wrote one. */
export async function findPolicy(database: Statements, name: string): Promise<WrittenPolicy | null> {
  const [row] = await database.rows<Row<WrittenPolicy>>(
    `SELECT ${POLICY} FROM escalation_policy WHERE name = $1`,
    [name],
  );
  return row ?? null;
}

/** Policies in the order of their names, after `afterName`. */
export function listPolicies(
  database: Database,
  page: { readonly afterName: string; readonly limit: number },
): Promise<WrittenPolicy[]> {
  return database.rows<Row<WrittenPolicy>>(
    `SELECT ${POLICY} FROM escalation_policy WHERE name > $1 ORDER BY name LIMIT $2`,
    [page.afterName, page.limit],
  );
}

/** Removes a policy; false when there was none. Alerts that are open go on by it. */
export function removePolicy(database: Database, name: string, actor: Actor): Promise<boolean> {
  return retryTransient(() =>
    database.transaction(async (transaction) => {
      const removed = await transaction.rows('DELETE FROM escalation_policy WHERE name = $1 RETURNING 1', [
        name,
      ]);
      if (removed.length > 0)
        await recordAudit(transaction, {
          actor,
          action: 'escalation_policy.remove',
          target: targetOf(name),
        });
      return removed.length > 0;
    }),
  );
}

/** Takes the id of somebody who is erased out of all policies, and out of those that alerts have. */
export async function eraseFromPolicies(transaction: Statements, personId: string): Promise<void> {
  await transaction.rows(
    `UPDATE escalation_policy SET steps = ${withoutPerson('steps')} WHERE steps @> ${namingPerson()}`,
    [personId],
  );
  await transaction.rows(
    `UPDATE alert SET policy = jsonb_set(policy, '{steps}', ${withoutPerson("policy->'steps'")})
     WHERE policy->'steps' @> ${namingPerson()}`,
    [personId],
  );
}

function withoutPerson(steps: string): string {
  return `(SELECT jsonb_agg(CASE WHEN step->'notify' ? 'users'
    THEN jsonb_set(step, '{notify,users}', (step#>'{notify,users}') - $1::text) ELSE step END ORDER BY n)
    FROM jsonb_array_elements(${steps}) WITH ORDINALITY AS s(step, n))`;
}

function namingPerson(): string {
  return `jsonb_build_array(jsonb_build_object('notify', jsonb_build_object('users', jsonb_build_array($1::text))))`;
}

function targetOf(name: string): string {
  return `escalation_policy:${name}`;
}
