import type { Database } from './database.js';

/*
 * Who holds which session at the MQTT broker. A broker keeps what it has not been told is done for the client id that it gave it to, and
 * for nobody else; so the sessions belong to the installation, and whoever lives holds them, on a lease by the database's clock.
 */

/** How often a door renews its leases and looks for sessions that nobody holds. */
export const TURN_MS = 2_000;
/** How long a session belongs to a door that says nothing more. */
export const LEASE_MS = 6_000;
/** So long a session that was given up for somebody is kept for them. */
const KEPT_MS = 6_000;

/** Sees to it that the sessions 1 to `count` are known. There may be more, which were made when there were to be more. */
export async function knowMqttSessions(database: Database, count: number): Promise<void> {
  await database.rows(
    'INSERT INTO mqtt_session (number) SELECT generate_series(1, $1::int) ON CONFLICT DO NOTHING',
    [count],
  );
}

/** A session that a door holds. */
export interface HeldMqttSession {
  readonly number: number;
  /** A door that holds fewer asks for it. */
  readonly wanted: boolean;
}

/** Renews the leases of a door, also those that ran out, and says what it holds: what it no longer holds, somebody else has. */
export function renewMqttSessions(database: Database, door: string): Promise<HeldMqttSession[]> {
  return database.rows<HeldMqttSession & Record<string, unknown>>(
    `UPDATE mqtt_session SET leased_until = now() + $2 * interval '1 millisecond' WHERE holder = $1
     RETURNING number, wanted_by IS NOT NULL AS wanted`,
    [door, LEASE_MS],
  );
}

/** Takes one session that nobody holds, and that is not in the door's own `hands`; its number, or null when there is none. */
export async function takeMqttSession(
  database: Database,
  door: string,
  hands: readonly number[],
): Promise<number | null> {
  const [taken] = await database.rows<{ number: number }>(
    `UPDATE mqtt_session SET holder = $1, leased_until = now() + $2 * interval '1 millisecond', wanted_by = NULL
     WHERE number = (
       SELECT number FROM mqtt_session
       WHERE leased_until < now() AND number <> ALL ($4)
         AND (wanted_by IS NULL OR wanted_by = $1 OR leased_until < now() - $3 * interval '1 millisecond')
       ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED)
     RETURNING number`,
    [door, LEASE_MS, KEPT_MS, [...hands]],
  );
  return taken?.number ?? null;
}

/** Asks the door that holds the most for one, if it holds at least two more than this one. */
export async function wantMqttSession(database: Database, door: string): Promise<void> {
  await database.rows(
    `UPDATE mqtt_session SET wanted_by = $1 WHERE number = (
       SELECT max(number) FROM mqtt_session WHERE wanted_by IS NULL AND holder = (
         SELECT holder FROM mqtt_session WHERE leased_until > now() GROUP BY holder
         HAVING count(*) >= 2 + (SELECT count(*) FROM mqtt_session WHERE holder = $1 OR wanted_by = $1)
         ORDER BY count(*) DESC, holder LIMIT 1))`,
    [door],
  );
}

/** Gives a session back, for whoever asked for it or for anybody. */
export async function releaseMqttSession(database: Database, door: string, number: number): Promise<void> {
  await database.rows(
    `UPDATE mqtt_session SET holder = NULL, leased_until = now() - interval '1 millisecond'
     WHERE number = $2 AND holder = $1`,
    [door, number],
  );
}
