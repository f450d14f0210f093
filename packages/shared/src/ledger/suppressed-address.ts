import type { Channel } from '../domain/channel.js';

/*
 * The ledger keeps suppressed mailboxes in small letters: almost no server tells `Abebe@` from `abebe@` (RFC 5321 §2.4
 * would let it), and a wish not to be written to holds for both. Every other address is kept as it is written.
 */

/** An address as the table of suppressions has it. */
export function keptAddress(channel: Channel, address: string): string {
  return channel === 'email' ? address.toLowerCase() : address;
}

/** The same in SQL, of two columns. */
export function keptAddressSql(channel: string, address: string): string {
  return `CASE WHEN ${channel} = 'email' THEN lower(${address}) ELSE ${address} END`;
}
