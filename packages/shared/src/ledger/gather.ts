import { newId } from '../domain/ids.js';
import type { Claimed } from './claim.js';
import type { Database, Statements } from './database.js';
import { handOver } from './hand-over.js';
import { retryTransient } from './retry-transient.js';
import { isOpen, isWaiting } from './states.js';
import { type JobSeed, SEED } from './waiting.js';

/** How an event is gathered. */
export interface GatherRules {
  /** How long the first one waits for others. */
  readonly windowMinutes: number;
  /** How many are told of at once; the window ends with the last of them. */
  readonly most: number;
  readonly templateVersion: number;
}

/** The notification that tells of what was gathered. */
export interface Gathered {
  readonly digestId: string;
  /** The job that its delivery needs now: the window was begun, or is full. */
  readonly seed: JobSeed | null;
}

/** One of several that are told of at once. */
export interface GatheredItem {
  readonly context: Readonly<Record<string, unknown>>;
  readonly at: Date;
  /** What was to tell of it alone; only of an alert, which is answered by it. */
  readonly notificationId?: string;
}

/**
 * Hands a claimed delivery over to the digest of its person, event and address, which begins a window when none is open. In one
 * transaction the item is in the digest and the delivery has ended, so a crash leaves both or neither. Null when the claim holds
 * no more, and nothing was done.
 *
 * @param context what the digest's template may read of it.
 */
export function gather(
  database: Database,
  owner: string,
  claim: Claimed,
  context: Readonly<Record<string, unknown>>,
  rules: GatherRules,
): Promise<Gathered | null> {
  return retryTransient(() =>
    database.transaction(async (transaction) => {
      const carrier = await holdWindow(transaction, owner, claim);
      if (carrier === null) return null;
      const item = JSON.stringify({ context, at: claim.notification.createdAt });
      const gathered =
        carrier.deliveryId === null
          ? await beginWindow(transaction, claim, item, rules)
          : await addItem(transaction, carrier.deliveryId, item, carrier.items + 1 >= rules.most);
      const handed = [{ deliveryId: claim.deliveryId, carrierId: gathered.deliveryId }];
      await handOver(transaction, handed, 'digest', gathered.digestId);
      const full = carrier.items + 1 >= rules.most;
      await transaction.rows(full ? END : GO_ON, [
        ...windowOf(claim),
        ...(full ? [] : [gathered.deliveryId, carrier.items + 1]),
      ]);
      return { digestId: gathered.digestId, seed: gathered.seed };
    }),
  );
}

const THIS = '(person_id, event_type, channel, target) = ($1, $2, $3, md5($4))';
const GO_ON = `UPDATE gathering SET delivery_id = $5, items = $6 WHERE ${THIS}`;
const END = `DELETE FROM gathering WHERE ${THIS}`;

function windowOf({ notification, channel, address }: Claimed): unknown[] {
  return [notification.personId, notification.eventType, channel, address];
}

/**
 * Takes the row of the window until the commit, and then both deliveries in the order of their ids. Null when the person is
 * gone, or somebody else has the delivery by now. A carrier that will not be sent any more takes nothing on.
 */
async function holdWindow(transaction: Statements, owner: string, claim: Claimed) {
  const [window] = await transaction.rows<{ deliveryId: string | null; items: number }>(
    HOLD,
    windowOf(claim),
  );
  if (window === undefined) return null;
  const rows = await transaction.rows<{ id: string; held: boolean; open: boolean }>(
    `SELECT id, id = $1 AND state = 'sending' AND claim = $3 AND lease_owner = $4 AS held, ${isOpen('state')} AS open
     FROM delivery WHERE id = $1 OR id = $2 ORDER BY id FOR UPDATE`,
    [claim.deliveryId, window.deliveryId, claim.claim, owner],
  );
  if (!rows.some(({ held }) => held)) {
    if (window.deliveryId === null) await transaction.rows(END, windowOf(claim));
    return null;
  }
  const open = rows.some((row) => row.id === window.deliveryId && row.open);
  return open ? window : { deliveryId: null, items: 0 };
}

/** Who is being erased waits for this, or this finds them gone; an UPDATE of nothing is what takes the row. */
const HOLD = `
WITH living AS MATERIALIZED (SELECT id FROM person WHERE id = $1 FOR KEY SHARE)
INSERT INTO gathering (person_id, event_type, channel, target) SELECT id, $2, $3, md5($4) FROM living
ON CONFLICT (person_id, event_type, channel, target) DO UPDATE SET items = gathering.items
RETURNING delivery_id AS "deliveryId", items`;

interface Carrier extends Gathered {
  readonly deliveryId: string;
}

async function beginWindow(
  transaction: Statements,
  claim: Claimed,
  item: string,
  rules: GatherRules,
): Promise<Carrier> {
  const [digestId, deliveryId] = [newId(), newId()];
  const { notification, channel, priority, address } = claim;
  const seeds = await transaction.rows<JobSeed & Record<string, unknown>>(BEGIN, [
    digestId,
    notification.personId,
    notification.eventType,
    rules.templateVersion,
    notification.type,
    item,
    priority,
    deliveryId,
    channel,
    address,
    rules.windowMinutes,
  ]);
  return { digestId, deliveryId, seed: seeds[0] ?? null };
}

const BEGIN = `
WITH told AS (
  INSERT INTO notification (id, person_id, event_type, template_version, type, context, priority, caller, digest, open_count)
  VALUES ($1, $2, $3, $4, $5, jsonb_build_object('items', jsonb_build_array($6::jsonb)), $7, 'digest', true, 1)
)
INSERT INTO delivery (id, notification_id, channel, priority, address, state, reason, due_at)
VALUES ($8, $1, $9, $7, $10, 'scheduled', 'digest', now() + $11 * interval '1 minute')
RETURNING ${SEED}`;

async function addItem(
  transaction: Statements,
  deliveryId: string,
  item: string,
  full: boolean,
): Promise<Carrier> {
  const [added] = await transaction.rows<{ id: string }>(
    `UPDATE notification SET context = jsonb_set(context, '{items}', (context->'items') || $2::jsonb)
     WHERE id = (SELECT notification_id FROM delivery WHERE id = $1) RETURNING id`,
    [deliveryId, item],
  );
  if (added === undefined) throw new Error('A digest vanished while it was added to.');
  const seeds = full ? await transaction.rows<JobSeed & Record<string, unknown>>(FILL, [deliveryId]) : [];
  return { digestId: added.id, deliveryId, seed: seeds[0] ?? null };
}

/** One that a worker has in its hands already reads its items when the window has ended. */
const FILL = `
UPDATE delivery SET due_at = now(), generation = generation + 1, updated_at = now()
WHERE id = $1 AND ${isWaiting('state')} AND due_at > now() AND reason = 'digest' RETURNING ${SEED}`;

/**
 * Ends the window of a digest that is about to be sent, and returns all it tells of, oldest first. Whoever is adding something
 * at this moment is waited for; who comes later begins the next one. Twice is as once.
 */
export async function closeWindow(
  database: Database,
  { deliveryId, notificationId }: Pick<Claimed, 'deliveryId' | 'notificationId'>,
): Promise<GatheredItem[]> {
  await retryTransient(() => database.rows('DELETE FROM gathering WHERE delivery_id = $1', [deliveryId]));
  const [row] = await database.rows<{ items: { context: Record<string, unknown>; at: string }[] | null }>(
    `SELECT context->'items' AS items FROM notification WHERE id = $1`,
    [notificationId],
  );
  return (row?.items ?? []).map(({ context, at }) => ({ context, at: new Date(at) }));
}
