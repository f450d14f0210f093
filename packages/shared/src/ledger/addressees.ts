import type { Channel } from '../domain/channel.js';
import type { Database } from './database.js';

/** What routing needs to know of a person. */
export interface Addressee {
  readonly id: string;
  readonly email: string | null;
  readonly phone: string | null;
  readonly locale: string;
  readonly active: boolean;
  readonly preferences: Readonly<Record<string, boolean>>;
  /** The reason for each channel on which the person's address must not be used. */
  readonly suppressed: Readonly<Partial<Record<Channel, string>>>;
}

/** Loads many people at once; null where there is none, in the order of `ids`. */
export async function loadAddressees(
  database: Database,
  ids: readonly string[],
): Promise<(Addressee | null)[]> {
  const rows = await database.rows<Addressee & { id: string }>(
    `SELECT p.id, p.email, p.phone, p.locale, p.active, p.preferences,
       coalesce((SELECT json_object_agg(s.channel, s.reason) FROM suppression s
         WHERE (s.channel = 'email' AND s.address = p.email) OR (s.channel = 'sms' AND s.address = p.phone)), '{}') AS suppressed
     FROM person p WHERE p.id = ANY($1::text[])`,
    [[...new Set(ids)]],
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id) ?? null);
}

/** Why a bare address must not be used, or null. */
export async function findSuppression(
  database: Database,
  channel: Channel,
  address: string,
): Promise<string | null> {
  const rows = await database.rows<{ reason: string }>(
    'SELECT reason FROM suppression WHERE channel = $1 AND address = $2',
    [channel, address],
  );
  return rows[0]?.reason ?? null;
}
