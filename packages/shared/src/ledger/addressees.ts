import type { Channel } from '../domain/channel.js';
import type { Platform } from '../domain/device.js';
import type { Wishes } from '../domain/wishes.js';
import type { Database, Statements } from './database.js';
import { keptAddress } from './suppressed-address.js';

/** What routing needs to know of a person. */
export interface Addressee extends Wishes {
  readonly id: string;
  readonly email: string | null;
  readonly phone: string | null;
  readonly webhookUrl: string | null;
  /** Where a push reaches them, the oldest first. */
  readonly devices: readonly { readonly address: string; readonly platform: Platform }[];
  readonly locale: string;
  readonly timezone: string;
  readonly active: boolean;
  /** When this was so, by the database's clock. */
  readonly readAt: Date;
  /** Milliseconds since they were read from the user directory; null for somebody who was written here. */
  readonly directoryAgeMs: number | null;
  /** The reason for each channel on which the person's address must not be used. */
  readonly suppressed: Readonly<Partial<Record<Channel, string>>>;
}

/** Loads many people at once; null where there is none, in the order of `ids`. */
export async function loadAddressees(
  database: Statements,
  ids: readonly string[],
): Promise<(Addressee | null)[]> {
  const rows = await database.rows<Addressee & { id: string }>(
    `SELECT p.id, p.email, p.phone, p.webhook_url AS "webhookUrl", p.locale, p.timezone, p.active, p.preferences,
       p.event_preferences AS "eventPreferences", p.quiet_hours AS "quietHours", now() AS "readAt",
       (extract(epoch FROM now() - p.directory_at) * 1000)::float8 AS "directoryAgeMs",
       coalesce((SELECT json_object_agg(s.channel, s.reason) FROM suppression s
         WHERE (s.channel = 'email' AND s.address = lower(p.email)) OR (s.channel = 'sms' AND s.address = p.phone)
           OR (s.channel = 'webhook' AND s.address = p.webhook_url)), '{}') AS suppressed,
       coalesce((SELECT json_agg(json_build_object('address', d.address, 'platform', d.platform) ORDER BY d.id)
         FROM device d WHERE d.person_id = p.id), '[]') AS devices
     FROM person p WHERE p.id = ANY($1::text[])`,
    [[...new Set(ids)]],
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id) ?? null);
}

/** A bare address on its channel. */
export interface BareAddress {
  readonly channel: Channel;
  readonly address: string;
}

/** Why bare addresses must not be used; null for those that may be, in the order of `asked`. */
export async function findSuppressions(
  database: Database,
  asked: readonly BareAddress[],
): Promise<(string | null)[]> {
  const kept = asked.map(({ channel, address }) => ({ channel, address: keptAddress(channel, address) }));
  const rows = await database.rows<BareAddress & { reason: string }>(
    `SELECT channel, address, reason FROM suppression
     WHERE (channel, address) IN (SELECT * FROM unnest($1::text[], $2::text[]))`,
    [kept.map((one) => one.channel), kept.map((one) => one.address)],
  );
  const reasons = new Map(rows.map((row) => [`${row.channel} ${row.address}`, row.reason]));
  return kept.map((one) => reasons.get(`${one.channel} ${one.address}`) ?? null);
}
