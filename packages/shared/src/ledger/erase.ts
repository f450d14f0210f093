import { firstIdOf } from '../domain/ids.js';
import { eraseFromAlerts } from './alert-retention.js';
import { type Actor, actorOn, personTarget, recordAudit } from './audit.js';
import type { Database, Statements } from './database.js';
import { eraseFromPolicies } from './escalation-policies.js';
import { takeOffCall } from './on-call.js';
import { retryTransient } from './retry-transient.js';
import { isWaiting } from './states.js';
import { keptAddressSql } from './suppressed-address.js';

/*
 * What an erasure does, in the order that lets it be repeated after a crash at any point: the person's row goes last, as long
 * as it is there it still says which addresses are theirs. Every statement takes a page of rows at most, so that somebody with
 * a million notifications is erased in small steps and holds nobody up.
 */

/** Notifications in one statement. */
const PAGE = 2_000;
/** How far the clock of a process that makes ids may be from the one of this process. */
const CLOCK_SLACK_MS = 60_000;
const FIRST_ID = firstIdOf(0);

/**
 * Erases a person: their row, their groups, their addresses wherever they are theirs, the text of everything that was ever
 * sent to them, and of what was sent to their addresses alone. What has not been sent is cancelled. The bare facts (that
 * something was sent, when, how it ended) stay, and so does the fact that somebody was erased. An address that another person
 * has too is left to them.
 *
 * False when nothing here was about them. Repeating an erasure that was broken off finishes it.
 */
export async function erasePerson(database: Database, id: string, actor: Actor): Promise<boolean> {
  const startedAt = Date.now();
  if (!(await isMentioned(database, id))) return false;
  await forgetKeptAnswers(database, id);
  const addresses = await addressesOf(database, id);
  await eraseBare(database, addresses, FIRST_ID);
  let earlier = 0;
  for (let page = await notificationsOf(database, id); page.length === PAGE; ) {
    await eraseNotifications(database, page);
    earlier += page.length;
    page = await notificationsOf(database, id);
  }
  return retryTransient(() =>
    database.transaction(async (transaction) => {
      const [erased] = await transaction.rows<{ auditId: string }>(
        'DELETE FROM person WHERE id = $1 RETURNING audit_id AS "auditId"',
        [id],
      );
      await transaction.rows(
        'DELETE FROM suppression WHERE (channel, address) IN (SELECT * FROM unnest($1::text[], $2::text[]))',
        columnsOf(addresses),
      );
      let notifications = earlier;
      let page: string[];
      do {
        page = await notificationsOf(transaction, id);
        await clear(transaction, page);
        notifications += page.length;
        // Another one only if many came since.
      } while (page.length === PAGE);
      await eraseBare(transaction, addresses, firstIdOf(startedAt - CLOCK_SLACK_MS));
      await transaction.rows('DELETE FROM inbox_item WHERE person_id = $1', [id]);
      await eraseFromAlerts(transaction, id);
      // Behind their row: whoever has put them on call meanwhile held it.
      if (erased !== undefined) await takeOffCall(transaction, id, personTarget(erased.auditId));
      await eraseFromPolicies(transaction, id);
      if (erased === undefined && notifications === 0) return false;
      await recordAudit(transaction, {
        actor: erased === undefined ? actor : actorOn(actor, { id, auditId: erased.auditId }),
        action: 'person.erase',
        // Null for somebody who was never here, only written to.
        target: erased === undefined ? null : personTarget(erased.auditId),
        details: { notifications },
      });
      return true;
    }),
  );
}

async function isMentioned(database: Statements, id: string): Promise<boolean> {
  const [row] = await database.rows<{ mentioned: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM person WHERE id = $1) OR EXISTS (SELECT 1 FROM notification WHERE person_id = $1) AS mentioned`,
    [id],
  );
  return row?.mentioned === true;
}

/**
 * An answer that is kept for its `Idempotency-Key` names the person when they were unknown. The keys of one day are looked
 * through; the answer stays, without the id.
 */
async function forgetKeptAnswers(database: Statements, id: string): Promise<void> {
  await database.rows(
    `UPDATE idempotency_key SET body = replace(body::text, $1, $2)::json
     WHERE status IN (404, 207) AND strpos(body::text, $1) > 0`,
    [`User with ID ${id} not found.`, 'User with ID (erased) not found.'],
  );
}

interface Address {
  readonly channel: string;
  /** As the suppressions have it: a mailbox in small letters. */
  readonly address: string;
}

/** The mailboxes, numbers and receivers of webhooks that are theirs, or were when something was sent to them, and are nobody else's. */
async function addressesOf(database: Statements, id: string): Promise<Address[]> {
  const found = new Map<string, Address>();
  for (let after: string | null = FIRST_ID; after !== null; ) {
    const [page]: AddressPage[] = await database.rows<AddressPage>(ADDRESSES, [id, after, PAGE]);
    for (const one of page?.found ?? []) found.set(`${one.channel} ${one.address}`, one);
    after = page?.last ?? null;
  }
  return database.rows<Address & Record<string, string>>(OF_NOBODY_ELSE, [
    id,
    ...columnsOf([...found.values()]),
  ]);
}

type AddressPage = { readonly last: string | null; readonly found: readonly Address[] | null };

const ADDRESSES = `
WITH page AS MATERIALIZED (
  SELECT id FROM notification WHERE person_id = $1 AND id > $2 ORDER BY id LIMIT $3
), known AS (
  SELECT 'email' AS channel, email AS address FROM person WHERE id = $1
  UNION SELECT 'sms', phone FROM person WHERE id = $1
  UNION SELECT 'webhook', webhook_url FROM person WHERE id = $1
  UNION SELECT d.channel, d.address FROM page JOIN delivery d ON d.notification_id = page.id
    WHERE d.channel IN ('email', 'sms', 'webhook')
)
SELECT (SELECT id FROM page ORDER BY id DESC LIMIT 1) AS last,
  (SELECT json_agg(json_build_object('channel', channel, 'address', ${keptAddressSql('channel', 'address')})) FROM known WHERE address IS NOT NULL) AS found`;

const OF_NOBODY_ELSE = `
SELECT a.channel, a.address FROM unnest($2::text[], $3::text[]) AS a(channel, address)
WHERE NOT EXISTS (SELECT 1 FROM person p WHERE a.channel = 'email' AND lower(p.email) = a.address AND p.id <> $1)
  AND NOT EXISTS (SELECT 1 FROM person p WHERE a.channel = 'sms' AND p.phone = a.address AND p.id <> $1)
  AND NOT EXISTS (SELECT 1 FROM person p WHERE a.channel = 'webhook' AND p.webhook_url = a.address AND p.id <> $1)`;

function columnsOf(addresses: readonly Address[]): [string[], string[]] {
  return [addresses.map(({ channel }) => channel), addresses.map(({ address }) => address)];
}

async function notificationsOf(database: Statements, id: string): Promise<string[]> {
  const rows = await database.rows<{ id: string }>(
    'SELECT id FROM notification WHERE person_id = $1 ORDER BY id LIMIT $2',
    [id, PAGE],
  );
  return rows.map((row) => row.id);
}

/**
 * Erases what was sent to bare addresses, from an id on. There is no index by address, which every delivery would pay for: the
 * messages to bare addresses are looked through page by page, by the index that has them together.
 */
async function eraseBare(database: Statements, addresses: readonly Address[], from: string): Promise<void> {
  for (let after: string | null = addresses.length === 0 ? null : from; after !== null; ) {
    const [page]: BarePage[] = await database.rows<BarePage>(BARE, [after, PAGE, ...columnsOf(addresses)]);
    if (page !== undefined && page.ids.length > 0) await eraseNotifications(database, page.ids);
    after = page?.last ?? null;
  }
}

type BarePage = { readonly last: string | null; readonly ids: readonly string[] };

const BARE = `
WITH page AS MATERIALIZED (
  SELECT id FROM notification WHERE person_id IS NULL AND id > $1 ORDER BY id LIMIT $2
)
SELECT (SELECT id FROM page ORDER BY id DESC LIMIT 1) AS last,
  ARRAY(SELECT DISTINCT d.notification_id FROM page JOIN delivery d ON d.notification_id = page.id
    JOIN unnest($3::text[], $4::text[]) AS a(channel, address) ON a.channel = d.channel AND a.address = lower(d.address)) AS ids`;

/** In a transaction of its own, or in the one that is given. */
async function eraseNotifications(database: Statements | Database, ids: readonly string[]): Promise<void> {
  if (!('transaction' in database)) return clear(database, ids);
  await retryTransient(() => database.transaction((transaction) => clear(transaction, ids)));
}

/**
 * Takes addresses and texts out of notifications, and whatever leads to them elsewhere: the provider's own id of a message and
 * its words about it. What waits is cancelled.
 */
async function clear(transaction: Statements, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await transaction.rows(CLEAR_DELIVERIES, [ids]);
  await transaction.rows(
    `UPDATE attempt SET error = NULL FROM delivery d
     WHERE d.id = delivery_id AND d.notification_id = ANY($1::uuid[]) AND error IS NOT NULL`,
    [ids],
  );
  await transaction.rows(
    'DELETE FROM inbox_item USING delivery d WHERE d.id = delivery_id AND d.notification_id = ANY($1::uuid[])',
    [ids],
  );
  // What was accepted since the statement above still has its address: without its person it would pass for a message to a
  // bare one. It keeps them, and is suppressed when it is claimed.
  await transaction.rows(
    `UPDATE notification SET person_id = NULL, title = NULL, message = NULL, html = NULL, context = '{}', data = '{}',
       traceparent = NULL
     WHERE id = ANY($1::uuid[]) AND NOT EXISTS (
       SELECT 1 FROM delivery WHERE notification_id = notification.id AND address IS NOT NULL)`,
    [ids],
  );
}

const CLEAR_DELIVERIES = `
WITH theirs AS MATERIALIZED (
  SELECT id FROM delivery WHERE notification_id = ANY($1::uuid[]) ORDER BY id FOR UPDATE
)
UPDATE delivery d SET address = NULL, provider_id = NULL, updated_at = now(), retryable = false,
  state = CASE WHEN ${isWaiting('d.state')} THEN 'cancelled' ELSE d.state END,
  reason = CASE WHEN ${isWaiting('d.state')} THEN 'person_erased' ELSE d.reason END
FROM theirs WHERE d.id = theirs.id`;
