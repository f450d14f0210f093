import type { DeliveryState } from '../domain/delivery-state.js';
import type { FailureClass } from '../domain/failure.js';
import type { OutcomeKind } from '../domain/outcome.js';
import type { Database } from './database.js';
import { retryTransient } from './retry-transient.js';
import { keptAddressSql } from './suppressed-address.js';

/** How a claimed delivery goes on: its next state and what was tried. */
export interface DeliveryRecord {
  readonly deliveryId: string;
  /** The claim under which this happened; a newer claim makes this record void. */
  readonly claim: number;
  readonly state: Extract<
    DeliveryState,
    'sent' | 'scheduled' | 'retrying' | 'ambiguous' | 'dead' | 'suppressed' | 'cancelled' | 'expired'
  >;
  readonly reason: string | null;
  /** When it is due next, from now; 0 for a state that ends it. */
  readonly dueInMs: number;
  /** How many of the tries counted against `MAX_ATTEMPTS`: 0 or 1. */
  readonly cost: 0 | 1;
  /** Dead for lack of attempts: another round may be begun. */
  readonly retryable: boolean;
  /** Why it is dead; null in every other state. */
  readonly failure: FailureClass | null;
  /** Whether a try may have been taken without anybody knowing. */
  readonly inDoubt: boolean;
  /** Where it went. */
  readonly address: string;
  readonly provider: string | null;
  readonly providerId: string | null;
  readonly template: string | null;
  readonly tries: readonly Try[];
  /** Set when the address must not be used again: it is suppressed, and a device is forgotten. */
  readonly suppress: string | null;
}

/** One try at one provider. Times are how long ago, so that a worker's clock does not matter. */
export interface Try {
  readonly provider: string;
  readonly outcome: OutcomeKind;
  readonly code: string;
  readonly error: string | null;
  readonly startedMsAgo: number;
  readonly finishedMsAgo: number;
}

/** `recorded`, or `superseded`: the delivery was claimed anew or moved since, and the ledger was left as it is. */
export type RecordResult = 'recorded' | 'superseded';

/** Law 4: many outcomes, their attempts and next steps in one commit. */
export async function recordOutcomes(
  database: Database,
  owner: string,
  records: readonly DeliveryRecord[],
): Promise<RecordResult[]> {
  const outcomes = records.map(({ tries, ...rest }) => ({ ...rest, added: tries.length }));
  const tries = records.flatMap((record) =>
    record.tries.map((one, index) => ({ ...one, deliveryId: record.deliveryId, index: index + 1 })),
  );
  const rows = await retryTransient(() =>
    database.rows<{ id: string }>(RECORD, [JSON.stringify(outcomes), JSON.stringify(tries), owner]),
  );
  const recorded = new Set(rows.map((row) => row.id));
  return records.map((record) => (recorded.has(record.deliveryId) ? 'recorded' : 'superseded'));
}

/*
 * A delivery without an address belongs to somebody who was erased while it was in hand: how it ended is written down, the
 * provider's words and its own id of the message are not. One that is put off before its first attempt has not begun.
 */
const RECORD = `
WITH outcome AS MATERIALIZED (
  SELECT * FROM json_to_recordset($1::json) AS o("deliveryId" uuid, claim int, state text, reason text, "dueInMs" float8,
    cost int, retryable boolean, provider text, "providerId" text, template text, suppress text, added int, "inDoubt" boolean,
    address text, failure text)
), held AS MATERIALIZED (
  SELECT d.id FROM delivery d JOIN outcome o ON o."deliveryId" = d.id
  WHERE d.state = 'sending' AND d.claim = o.claim AND d.lease_owner = $3
  ORDER BY d.id FOR UPDATE OF d
), moved AS (
  UPDATE delivery d SET
    state = o.state, reason = o.reason, due_at = now() + o."dueInMs" * interval '1 millisecond',
    attempts = d.attempts + o.cost, retryable = o.retryable, in_doubt = o."inDoubt",
    failure = o.failure, dead_at = CASE WHEN o.state = 'dead' THEN now() END,
    address = CASE WHEN d.address IS NULL THEN NULL ELSE coalesce(nullif(o.address, ''), d.address) END,
    tries = d.tries + o.added, provider = coalesce(o.provider, d.provider),
    provider_id = CASE WHEN d.address IS NOT NULL THEN coalesce(o."providerId", d.provider_id) END,
    template = coalesce(o.template, d.template),
    first_attempt_at = CASE WHEN o.state = 'scheduled' AND d.tries = 0 THEN NULL ELSE d.first_attempt_at END,
    round_at = CASE WHEN o.state = 'scheduled' AND d.tries = 0 THEN NULL ELSE d.round_at END,
    sent_at = CASE WHEN o.state = 'sent' THEN now() ELSE d.sent_at END,
    lease_owner = NULL, lease_until = NULL, updated_at = now()
  FROM outcome o, held
  WHERE held.id = d.id AND o."deliveryId" = d.id AND d.claim = o.claim AND d.state = 'sending'
  RETURNING d.id, d.tries - o.added AS before, d.channel, d.address, o.suppress
), tried AS (
  INSERT INTO attempt (delivery_id, n, provider, outcome, code, error, started_at, finished_at)
  SELECT moved.id, moved.before + t.index, t.provider, t.outcome, t.code,
    CASE WHEN moved.address IS NOT NULL THEN t.error END,
    now() - t."startedMsAgo" * interval '1 millisecond', now() - t."finishedMsAgo" * interval '1 millisecond'
  FROM json_to_recordset($2::json) AS t("deliveryId" uuid, index int, provider text, outcome text, code text, error text,
    "startedMsAgo" float8, "finishedMsAgo" float8)
  JOIN moved ON moved.id = t."deliveryId"
), suppressed AS (
  INSERT INTO suppression (channel, address, reason)
  SELECT DISTINCT ON (channel, kept) channel, kept, suppress
  FROM (SELECT channel, ${keptAddressSql('channel', 'address')} AS kept, suppress FROM moved) AS refused
  WHERE suppress IS NOT NULL AND kept IS NOT NULL AND channel <> 'push'
  ON CONFLICT DO NOTHING
), forgotten AS (
  DELETE FROM device USING moved
  WHERE moved.channel = 'push' AND moved.suppress IS NOT NULL AND device.address = moved.address
)
SELECT id FROM moved`;
