import type { AlertLevel } from '../domain/alert.js';
import { type AlertActor, type AlertMove, findByDedupKey, moveAlertWithin } from './alerts.js';
import { type Actor, recordAudit } from './audit.js';
import type { Database, Statements } from './database.js';
import { retryTransient } from './retry-transient.js';

/** What is to be heard of, and what is said when it is not. */
export interface HeartbeatRule {
  /** Milliseconds of silence after which it is missed. */
  readonly afterMs: number;
  readonly alertType: string;
  readonly level: AlertLevel;
  /** Null for one that names the heartbeat and says since when. */
  readonly message: string | null;
}

/** Something that must be heard of. All times are the database's. */
export interface Heartbeat extends HeartbeatRule {
  readonly name: string;
  /** When it was last heard of; when it was added, if it never was. */
  readonly beatAt: Date;
  /** When it will be missed, or was to be heard of. */
  readonly dueAt: Date;
  /** Since when it is missed; null when it is not. */
  readonly missedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const HEARTBEAT = `name, after_ms AS "afterMs", alert_type AS "alertType", level, message, beat_at AS "beatAt",
  due_at AS "dueAt", missed_at AS "missedAt", created_at AS "createdAt", updated_at AS "updatedAt"`;

/** The one alert that a heartbeat has open. */
export function heartbeatKey(name: string): string {
  return `heartbeat:${name}`;
}

/** Adds a heartbeat, or changes one. Its time begins now; one that is missed stays so until it is heard of. */
export function putHeartbeat(
  database: Database,
  name: string,
  { afterMs, alertType, level, message }: HeartbeatRule,
  actor: Actor,
): Promise<{ created: boolean; heartbeat: Heartbeat }> {
  return retryTransient(() =>
    database.transaction(async (transaction) => {
      // A row that is new has never been locked or changed, so its xmax is 0.
      const [row] = await transaction.rows<Heartbeat & { created: boolean }>(
        `INSERT INTO heartbeat (name, after_ms, alert_type, level, message, due_at)
         VALUES ($1, $2::bigint, $3, $4, $5, now() + $2::bigint * interval '1 millisecond')
         ON CONFLICT (name) DO UPDATE SET after_ms = excluded.after_ms, alert_type = excluded.alert_type,
           level = excluded.level, message = excluded.message, due_at = excluded.due_at, updated_at = now()
         RETURNING ${HEARTBEAT}, xmax = 0 AS created`,
        [name, afterMs, alertType, level, message],
      );
      if (row === undefined) throw new Error('A statement without a row.');
      const { created, ...heartbeat } = row;
      const details = { after_ms: afterMs, alert_type: alertType, level, created };
      await recordAudit(transaction, { actor, action: 'heartbeat.put', target: heartbeatKey(name), details });
      return { created, heartbeat };
    }),
  );
}

/** What a beat, or the end of a heartbeat, came to: the alert of the silence that it ends, if there was one. */
export interface HeartbeatMove {
  readonly heartbeat: Heartbeat;
  /** It was missed until now. */
  readonly wasMissed: boolean;
  readonly resolved: AlertMove | null;
}

/**
 * Something was heard of. Ends its silence, and the alert that told of it, in one commit. Null for an unknown heartbeat.
 * Whoever opens that alert at this moment holds the same row, and comes before or after.
 */
export function recordBeat(database: Database, name: string): Promise<HeartbeatMove | null> {
  return retryTransient(() =>
    database.transaction(async (transaction) => {
      const before = await hold(transaction, name);
      if (before === null) return null;
      const [heartbeat] = await transaction.rows<Heartbeat & Record<string, unknown>>(
        `UPDATE heartbeat SET beat_at = clock_timestamp(), missed_at = NULL,
           due_at = clock_timestamp() + after_ms * interval '1 millisecond'
         WHERE name = $1 RETURNING ${HEARTBEAT}`,
        [name],
      );
      if (heartbeat === undefined) throw new Error('A row that was held is gone.');
      const resolved = await endSilence(transaction, before, { name: heartbeatKey(name), via: 'heartbeat' });
      return { heartbeat, wasMissed: before.missedAt !== null, resolved };
    }),
  );
}

/** Takes a heartbeat away, and resolves the alert of a silence that nobody waits to end any more. Null when there was none. */
export function removeHeartbeat(
  database: Database,
  name: string,
  actor: Actor,
): Promise<HeartbeatMove | null> {
  return retryTransient(() =>
    database.transaction(async (transaction) => {
      const heartbeat = await hold(transaction, name);
      if (heartbeat === null) return null;
      await transaction.rows('DELETE FROM heartbeat WHERE name = $1', [name]);
      await recordAudit(transaction, { actor, action: 'heartbeat.remove', target: heartbeatKey(name) });
      const resolved = await endSilence(transaction, heartbeat, { name: actor.sub, via: 'api' });
      return { heartbeat, wasMissed: heartbeat.missedAt !== null, resolved };
    }),
  );
}

async function hold(transaction: Statements, name: string): Promise<Heartbeat | null> {
  const [row] = await transaction.rows<Heartbeat & Record<string, unknown>>(
    `SELECT ${HEARTBEAT} FROM heartbeat WHERE name = $1 FOR UPDATE`,
    [name],
  );
  return row ?? null;
}

async function endSilence(
  transaction: Statements,
  { name, missedAt }: Heartbeat,
  actor: AlertActor,
): Promise<AlertMove | null> {
  const alert = missedAt === null ? null : await findByDedupKey(transaction, heartbeatKey(name));
  return alert === null ? null : moveAlertWithin(transaction, 'resolve', alert.id, actor);
}

/** What is heard of by this name; null when nothing is. */
export async function findHeartbeat(database: Database, name: string): Promise<Heartbeat | null> {
  const [row] = await database.rows<Heartbeat & Record<string, unknown>>(
    `SELECT ${HEARTBEAT} FROM heartbeat WHERE name = $1`,
    [name],
  );
  return row ?? null;
}

/** Heartbeats in the order of their names, after `afterName`. */
export function listHeartbeats(
  database: Database,
  page: { afterName: string; limit: number },
): Promise<Heartbeat[]> {
  return database.rows<Heartbeat & Record<string, unknown>>(
    `SELECT ${HEARTBEAT} FROM heartbeat WHERE name > $1 ORDER BY name LIMIT $2`,
    [page.afterName, page.limit],
  );
}

/**
 * Takes one heartbeat that is overdue by the database's clock, and writes down that it is missed: it is nobody else's until
 * the transaction ends, and not missed when that is undone. Null when there is none, or while no API listens: nobody can be
 * missed who could not be heard.
 *
 * @param except names that are left alone.
 */
export async function takeOverdue(
  transaction: Statements,
  except: readonly string[],
): Promise<Heartbeat | null> {
  const [row] = await transaction.rows<Heartbeat & Record<string, unknown>>(
    `UPDATE heartbeat SET missed_at = clock_timestamp()
     WHERE name = (
       SELECT name FROM heartbeat
       WHERE missed_at IS NULL AND due_at <= clock_timestamp() AND name <> ALL($1::text[])
         AND EXISTS (SELECT 1 FROM upkeep WHERE task = $2 AND ran_at > clock_timestamp() - $3 * interval '1 millisecond')
       ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
     RETURNING ${HEARTBEAT}`,
    [except, LISTENING, DEAF_MS],
  );
  return row ?? null;
}

/** The row of the upkeep that says when an API last could hear a beat. */
const LISTENING = 'listening';
/** When no API has said so for this long, beats may have been lost. */
const DEAF_MS = 5_000;
/** Said at most this often, over all API processes. */
const SAID_MS = 800;
/** Whoever would be missed this soon after a time in which nobody was heard gets another chance, however short that time was. */
const CHANCE_MS = 60_000;

/** For how long no beat could be heard, in milliseconds, and how many heartbeats were given their whole time again for it. */
export interface Deafness {
  readonly deafMs: number;
  readonly given: number;
}

/**
 * Says that an API is here to hear beats. When none was for five seconds or more, whoever became overdue meanwhile, or soon
 * would, has its whole time again from now, in the same commit: its beats may have been lost. Once in a silence, so that
 * restarts one after the other hide nobody. Null when nothing was missed.
 */
export async function keepListening(database: Database): Promise<Deafness | null> {
  const [row] = await database.rows<{ deafMs: number | null; given: number }>(LISTEN, [
    LISTENING,
    DEAF_MS,
    CHANCE_MS,
    SAID_MS,
  ]);
  if (row === undefined || row.deafMs === null) return null;
  return { deafMs: row.deafMs, given: row.given };
}

/* Of two that come back at the same moment one waits for the other, and then sees that there is nothing left to mend. */
const LISTEN = `
WITH before AS MATERIALIZED (SELECT ran_at FROM upkeep WHERE task = $1 FOR UPDATE),
deaf AS MATERIALIZED (
  SELECT clock_timestamp() AS back, clock_timestamp() - ran_at AS lasted FROM before
  WHERE ran_at < clock_timestamp() - $2 * interval '1 millisecond'
),
given AS (
  UPDATE heartbeat h SET due_at = deaf.back + h.after_ms * interval '1 millisecond' FROM deaf
  WHERE h.missed_at IS NULL AND h.due_at < deaf.back + deaf.lasted + $3 * interval '1 millisecond'
    AND h.due_at <= h.beat_at + h.after_ms * interval '1 millisecond' + interval '1 second'
  RETURNING 1
),
said AS (
  INSERT INTO upkeep AS u (task, ran_at) VALUES ($1, clock_timestamp())
  ON CONFLICT (task) DO UPDATE SET ran_at = clock_timestamp()
  WHERE u.ran_at <= clock_timestamp() - $4 * interval '1 millisecond'
)
SELECT (SELECT extract(epoch FROM lasted) * 1000 FROM deaf)::float8 AS "deafMs", (SELECT count(*) FROM given)::int AS given`;
