import type { WishesChange } from '../domain/wishes.js';
import type { Statements } from './database.js';

/** What may be given when a person is written; what is left out keeps its value, or has its default for a new person. */
export interface PersonChange extends WishesChange {
  readonly email?: string | null | undefined;
  readonly phone?: string | null | undefined;
  readonly locale?: string | undefined;
  readonly timezone?: string | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly active?: boolean | undefined;
  readonly groups?: readonly string[] | undefined;
  readonly webhookUrl?: string | null | undefined;
}

export interface PersonWrite {
  readonly id: string;
  readonly change: PersonChange;
}

export interface WrittenPerson {
  readonly id: string;
  readonly auditId: string;
  readonly created: boolean;
  /** What is different now, by the names of the columns; of somebody new, what was given. */
  readonly fields: readonly string[];
}

export interface WriteOptions {
  /**
   * Read from the user directory: the time is written down with them, and somebody who was written here since stays as
   * they are and is left out of the answer. Without it they are ours from now on, and the directory is not asked again.
   */
  readonly fromDirectory: boolean;
}

const MOST_TURNS = 8;

/**
 * Creates and changes many people at once: one statement for `person` and two for their groups, whatever their number.
 * The same as writing them one after the other. The ids must differ.
 *
 * Existing rows are locked in the order of their ids, so that two writers never wait for each other in a circle. Somebody
 * who is being created by another transaction at this moment is not seen by the statement; they are written in a second
 * turn, when that one has ended.
 */
export async function writePeople(
  transaction: Statements,
  people: readonly PersonWrite[],
  { fromDirectory }: WriteOptions = { fromDirectory: false },
): Promise<WrittenPerson[]> {
  const written: WrittenPerson[] = [];
  let left = people;
  for (let turn = 1; left.length > 0; turn += 1) {
    if (turn > MOST_TURNS) throw new Error('People are created and erased faster than they can be written.');
    const rows = await transaction.rows<WrittenPerson & { kept: boolean }>(WRITE, [
      JSON.stringify(left),
      fromDirectory,
    ]);
    written.push(...rows.filter(({ kept }) => !kept).map(({ kept: _, ...row }) => row));
    const done = new Set(rows.map(({ id }) => id));
    left = left.filter(({ id }) => !done.has(id));
  }
  const regrouped = await writeGroups(transaction, people);
  return written.map((one) => (regrouped.has(one.id) ? { ...one, fields: [...one.fields, 'groups'] } : one));
}

/**
 * The SQL of what is said of single events, `given` put over `was`, both jsonb by event and channel. Null takes away what was
 * said of a channel, and an event of which nothing is left goes.
 */
export function mergedEventsSql(was: string, given: string): string {
  return `(SELECT coalesce(jsonb_object_agg(event, said), '{}') FROM (
    SELECT event, jsonb_strip_nulls(coalesce(${was}->event, '{}') || coalesce(${given}->event, '{}')) AS said
    FROM jsonb_object_keys(${was} || (${given})) AS event) AS merged WHERE said <> '{}')`;
}

/** Each column that can be given: its value out of `change` where it is there, and what somebody new has otherwise. */
const COLUMNS: readonly { name: string; key: string; given: string; standard: string }[] = [
  { name: 'email', key: 'email', given: `change->>'email'`, standard: 'NULL' },
  { name: 'phone', key: 'phone', given: `change->>'phone'`, standard: 'NULL' },
  { name: 'locale', key: 'locale', given: `change->>'locale'`, standard: `'en'` },
  { name: 'timezone', key: 'timezone', given: `change->>'timezone'`, standard: `'UTC'` },
  {
    name: 'roles',
    key: 'roles',
    given: `ARRAY(SELECT jsonb_array_elements_text(change->'roles'))`,
    standard: `'{}'::text[]`,
  },
  { name: 'active', key: 'active', given: `(change->>'active')::boolean`, standard: 'true' },
  {
    name: 'preferences',
    key: 'preferences',
    given: `coalesce(was.preferences, '{}') || (change->'preferences')`,
    standard: `'{}'::jsonb`,
  },
  {
    name: 'event_preferences',
    key: 'eventPreferences',
    given: mergedEventsSql(`coalesce(was.event_preferences, '{}')`, `change->'eventPreferences'`),
    standard: `'{}'::jsonb`,
  },
  {
    name: 'quiet_hours',
    key: 'quietHours',
    given: `nullif(change->'quietHours', 'null')`,
    standard: 'NULL::jsonb',
  },
  { name: 'webhook_url', key: 'webhookUrl', given: `change->>'webhookUrl'`, standard: 'NULL' },
];
const NAMES = COLUMNS.map(({ name }) => name).join(', ');

/*
 * `was` reads the rows as they are once they are locked, so nothing that another call changed is lost. An UPDATE of them
 * moves no key, so whoever notifies these people meanwhile does not wait.
 */
const WRITE = `
WITH given AS MATERIALIZED (
  SELECT id, change FROM json_to_recordset($1::json) AS g(id text, change jsonb)
), was AS MATERIALIZED (
  SELECT * FROM person WHERE id IN (SELECT id FROM given) ORDER BY id FOR NO KEY UPDATE
), wanted AS MATERIALIZED (
  SELECT given.id, was.id IS NULL AS fresh, $2 AND was.id IS NOT NULL AND was.directory_at IS NULL AS kept,
    was.audit_id, ${COLUMNS.map(valueFor).join(',\n    ')},
    array_remove(ARRAY[${COLUMNS.map(differenceIn).join(', ')}], NULL) AS fields
  FROM given LEFT JOIN was ON was.id = given.id
), made AS (
  INSERT INTO person (id, ${NAMES}, directory_at)
  SELECT id, ${NAMES}, CASE WHEN $2 THEN now() END FROM wanted WHERE fresh ORDER BY id
  ON CONFLICT (id) DO NOTHING
  RETURNING id, audit_id
), changed AS (
  UPDATE person p SET ${COLUMNS.map(({ name }) => `${name} = w.${name}`).join(', ')},
    directory_at = CASE WHEN $2 THEN now() END, updated_at = now()
  FROM wanted w WHERE w.id = p.id AND NOT w.fresh AND NOT w.kept
)
SELECT w.id, coalesce(made.audit_id, w.audit_id) AS "auditId", w.fresh AS created, w.kept, w.fields
FROM wanted w LEFT JOIN made ON made.id = w.id WHERE NOT w.fresh OR made.id IS NOT NULL`;

function valueFor({ name, key, given, standard }: (typeof COLUMNS)[number]): string {
  return `CASE WHEN change ? '${key}' THEN ${given} WHEN was.id IS NULL THEN ${standard} ELSE was.${name} END AS ${name}`;
}

function differenceIn({ name, key, given }: (typeof COLUMNS)[number]): string {
  return `CASE WHEN change ? '${key}' AND (was.id IS NULL OR was.${name} IS DISTINCT FROM ${given}) THEN '${name}' END`;
}

/** Makes the groups of those for whom some are given exactly these. Returns whose have changed. */
async function writeGroups(transaction: Statements, people: readonly PersonWrite[]): Promise<Set<string>> {
  const regrouped = people.filter(({ change }) => change.groups !== undefined);
  if (regrouped.length === 0) return new Set();
  const pairs = regrouped.flatMap(({ id, change }) =>
    [...new Set(change.groups)].map((group) => [id, group]),
  );
  const values = [regrouped.map(({ id }) => id), pairs.map(([id]) => id), pairs.map(([, group]) => group)];
  const left = await transaction.rows<{ id: string }>(LEAVE, values);
  const joined = await transaction.rows<{ id: string }>(JOIN, values.slice(1));
  return new Set([...left, ...joined].map(({ id }) => id));
}

const LEAVE = `
DELETE FROM group_member WHERE person_id = ANY($1::text[])
  AND (person_id, group_id) NOT IN (SELECT * FROM unnest($2::text[], $3::text[]))
RETURNING person_id AS id`;

const JOIN = `
INSERT INTO group_member (person_id, group_id) SELECT * FROM unnest($1::text[], $2::text[]) AS m(person_id, group_id)
ORDER BY 1, 2
ON CONFLICT DO NOTHING
RETURNING person_id AS id`;
