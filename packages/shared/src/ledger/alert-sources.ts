import type { AlertLevel } from '../domain/alert.js';
import type { SourceKind } from '../domain/alert-source.js';
import { type Actor, recordAudit } from './audit.js';
import type { Database } from './database.js';
import { retryTransient } from './retry-transient.js';

/** Something that raises alerts with a token of its own. What the token is, nobody can read here. */
export interface AlertSource {
  readonly name: string;
  readonly kind: SourceKind;
  /** What an alert is that does not say how loud it is. */
  readonly level: AlertLevel;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** When it last called with its token; null for never. */
  readonly seenAt: Date | null;
}

const SOURCE = `name, kind, level, created_at AS "createdAt", updated_at AS "updatedAt", seen_at AS "seenAt"`;

/**
 * Adds a source, or changes what is known of one. One that was there keeps its token.
 *
 * @param tokenHash of the token that a new one gets.
 */
export function putSource(
  database: Database,
  name: string,
  { kind, level, tokenHash }: Pick<AlertSource, 'kind' | 'level'> & { readonly tokenHash: string },
  actor: Actor,
): Promise<{ created: boolean; source: AlertSource }> {
  return retryTransient(() =>
    database.transaction(async (transaction) => {
      // A row that is new has never been locked or changed, so its xmax is 0.
      const [row] = await transaction.rows<AlertSource & { created: boolean }>(
        `INSERT INTO alert_source (name, kind, level, token_hash) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, level = excluded.level, updated_at = now()
         RETURNING ${SOURCE}, xmax = 0 AS created`,
        [name, kind, level, tokenHash],
      );
      if (row === undefined) throw new Error('A statement without a row.');
      const { created, ...source } = row;
      const details = { kind, level, created };
      await recordAudit(transaction, { actor, action: 'alert_source.put', target: targetOf(name), details });
      return { created, source };
    }),
  );
}

/** Gives a source another token: the one before it is good for nothing from now on. Null for an unknown source. */
export function putSourceToken(
  database: Database,
  name: string,
  tokenHash: string,
  actor: Actor,
): Promise<AlertSource | null> {
  return changed(
    database,
    actor,
    'alert_source.token',
    name,
    `UPDATE alert_source SET token_hash = $2, updated_at = now() WHERE name = $1 RETURNING ${SOURCE}`,
    [name, tokenHash],
  );
}

/** Takes a source away. What it has opened stays as it is. Null when there was none. */
export function removeSource(database: Database, name: string, actor: Actor): Promise<AlertSource | null> {
  const statement = `DELETE FROM alert_source WHERE name = $1 RETURNING ${SOURCE}`;
  return changed(database, actor, 'alert_source.remove', name, statement, [name]);
}

function changed(
  database: Database,
  actor: Actor,
  action: 'alert_source.token' | 'alert_source.remove',
  name: string,
  statement: string,
  values: readonly string[],
): Promise<AlertSource | null> {
  return retryTransient(() =>
    database.transaction(async (transaction) => {
      const [source] = await transaction.rows<AlertSource & Record<string, unknown>>(statement, values);
      if (source === undefined) return null;
      await recordAudit(transaction, { actor, action, target: targetOf(name) });
      return source;
    }),
  );
}

function targetOf(name: string): string {
  return `alert_source:${name}`;
}

/** The alert source of this name; null for an unknown one. */
export async function findSource(database: Database, name: string): Promise<AlertSource | null> {
  const [source] = await database.rows<AlertSource & Record<string, unknown>>(
    `SELECT ${SOURCE} FROM alert_source WHERE name = $1`,
    [name],
  );
  return source ?? null;
}

/** Sources in the order of their names, after `afterName`. */
export function listSources(
  database: Database,
  page: { afterName: string; limit: number },
): Promise<AlertSource[]> {
  return database.rows<AlertSource & Record<string, unknown>>(
    `SELECT ${SOURCE} FROM alert_source WHERE name > $1 ORDER BY name LIMIT $2`,
    [page.afterName, page.limit],
  );
}

/** Whose token it is, and that it was heard of now, to the second; null when it is nobody's. */
export async function findSourceByToken(database: Database, tokenHash: string): Promise<AlertSource | null> {
  const [source] = await database.rows<AlertSource & Record<string, unknown>>(
    `WITH found AS (SELECT * FROM alert_source WHERE token_hash = $1),
     seen AS (
       UPDATE alert_source s SET seen_at = now() FROM found
       WHERE s.name = found.name AND (found.seen_at IS NULL OR found.seen_at < now() - interval '1 second')
     )
     SELECT ${SOURCE} FROM found`,
    [tokenHash],
  );
  return source ?? null;
}
