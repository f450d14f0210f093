import { after, before } from 'node:test';
import { CHANNELS, type Channel, type Priority } from '@belfry/shared/domain/channel.js';
import type { DeliveryState } from '@belfry/shared/domain/delivery-state.js';
import { newId } from '@belfry/shared/domain/ids.js';
import { type NewDelivery, type NewNotification, writeAcceptances } from '@belfry/shared/ledger/accept.js';
import type { Claim, Claimed } from '@belfry/shared/ledger/claim.js';
import { type Database, openDatabase } from '@belfry/shared/ledger/database.js';
import { migrateLedger } from '@belfry/shared/ledger/migrate.js';
import type { DeliveryRecord } from '@belfry/shared/ledger/record.js';
import { migratedDatabase, type TestDatabase } from '../support/postgres.js';

/** A migrated ledger of a test file's own, as seen by two processes. */
export interface Ledger {
  readonly one: Database;
  readonly two: Database;
  readonly url: string;
}

/** Opens a ledger before the tests of the suite it is called in, and drops it after them. */
export function withLedger(prepare: (url: string) => Promise<void> = migrateLedger): Ledger {
  let database: TestDatabase;
  const open = new Map<string, Database>();
  const get = (name: string) => {
    const found = open.get(name);
    if (found === undefined) throw new Error('The ledger is open only while the tests run.');
    return found;
  };
  before(async () => {
    database = await migratedDatabase();
    await prepare(database.url);
    for (const name of ['one', 'two']) open.set(name, openDatabase({ url: database.url, name, size: 24 }));
  });
  after(async () => {
    await Promise.all([...open.values()].map((one) => one.close()));
    await database?.drop();
  });
  return {
    get one() {
      return get('one');
    },
    get two() {
      return get('two');
    },
    get url() {
      return database.url;
    },
  };
}

/** Who does what is audited. */
export const OPS = { sub: 'ops', role: 'admin' } as const;

export interface Accepted {
  readonly id: string;
  readonly deliveries: readonly NewDelivery[];
}

export interface AcceptOptions {
  readonly personId?: string | null;
  readonly priority?: Priority;
  readonly channels?: readonly Channel[];
  readonly state?: NewDelivery['state'];
  readonly sendAt?: Date | null;
  readonly expiresAt?: Date | null;
  readonly message?: string;
}

/** A notification that is ready to be written, by default one mail. */
export function notification(options: AcceptOptions = {}): NewNotification {
  const { channels = ['email'], state = 'queued', sendAt = null, expiresAt = null } = options;
  return {
    id: newId(),
    personId: options.personId ?? null,
    eventType: null,
    templateVersion: null,
    type: 'info',
    title: 'Hello',
    message: options.message ?? 'Hello',
    html: null,
    context: {},
    data: {},
    priority: options.priority ?? 'normal',
    caller: 'test',
    reason: null,
    sendAt: sendAt?.toISOString() ?? null,
    expiresAt: expiresAt?.toISOString() ?? null,
    deliveries: channels.map((channel, index) => ({
      id: newId(),
      channel,
      address: `${channel}-${index}@example.org`,
      state,
      reason: null,
    })),
  };
}

/** Writes notifications without a key. */
export async function accept(database: Database, ...given: readonly NewNotification[]): Promise<void> {
  await writeAcceptances(database, [{ requestId: newId(), notifications: given, answer: null }]);
}

/** The one delivery of a notification, or the first. */
export function firstOf({ deliveries }: Accepted): string {
  return deliveries[0]?.id ?? '';
}

/** The claim, which must have succeeded. */
export function claimed(claim: Claim | undefined): Claimed {
  if (claim?.kind !== 'claimed') throw new Error(`It was not claimed: ${claim?.kind}`);
  return claim;
}

/** What is recorded for a claim: by default one try that was sent. */
export function recordFor(claim: Claimed, change: Partial<DeliveryRecord> = {}): DeliveryRecord {
  return {
    deliveryId: claim.deliveryId,
    claim: claim.claim,
    state: 'sent',
    reason: null,
    dueInMs: 0,
    cost: 1,
    retryable: false,
    failure: null,
    inDoubt: false,
    address: claim.address,
    provider: 'smtp',
    providerId: null,
    template: null,
    tries: [
      { provider: 'smtp', outcome: 'sent', code: '250', error: null, startedMsAgo: 5, finishedMsAgo: 1 },
    ],
    suppress: null,
    ...change,
  };
}

/** A delivery as it is in the ledger. */
export interface Row {
  readonly id: string;
  readonly notification_id: string;
  readonly channel: Channel;
  readonly state: DeliveryState;
  readonly reason: string | null;
  readonly address: string | null;
  readonly generation: number;
  readonly attempts: number;
  readonly round: number;
  readonly tries: number;
  readonly interruptions: number;
  readonly retryable: boolean;
  readonly claim: number;
  readonly lease_owner: string | null;
  readonly sent_at: Date | null;
  readonly [column: string]: unknown;
}

/** One delivery. */
export async function rowOf(database: Database, deliveryId: string): Promise<Row> {
  const [row] = await database.rows<Row>('SELECT * FROM delivery WHERE id = $1', [deliveryId]);
  if (row === undefined) throw new Error('There is no such delivery.');
  return row;
}

/** Lets the lease of a delivery in somebody's hands run out. */
export async function letLeaseLapse(database: Database, deliveryId: string): Promise<void> {
  await database.rows("UPDATE delivery SET lease_until = now() - interval '1 second' WHERE id = $1", [
    deliveryId,
  ]);
}

/** Every channel once. */
export const ALL_CHANNELS: readonly Channel[] = CHANNELS;
