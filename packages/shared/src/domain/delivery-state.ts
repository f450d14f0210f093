/**
 * The life of a delivery. A state is a noun for where the message is, and this table is the only place that says
 * which moves are legal; `docs/architecture.md` draws it and a property test walks it against the ledger.
 */
export const DELIVERY_STATES = [
  'scheduled',
  'queued',
  'sending',
  'retrying',
  'ambiguous',
  'sent',
  'delivered',
  'dead',
  'cancelled',
  'suppressed',
  'expired',
  'skipped',
] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

const OVER_BEFORE_SENDING = ['cancelled', 'suppressed', 'expired'] as const;

/** From each state, where a delivery may go next. An empty list ends the delivery's life. */
export const LEGAL_MOVES: Readonly<Record<DeliveryState, readonly DeliveryState[]>> = {
  /** Waits for its `send_at`, or for the end of the person's quiet hours. */
  scheduled: ['sending', ...OVER_BEFORE_SENDING],
  /** Due, and waits for a worker. */
  queued: ['sending', ...OVER_BEFORE_SENDING],
  /**
   * A worker holds its lease. `sending → sending` is another worker taking over a lapsed lease, `sending → scheduled` a
   * person who has quiet hours now, `sending → cancelled` a broadcast that was cancelled while this waited.
   */
  sending: ['sending', 'scheduled', 'sent', 'retrying', 'ambiguous', 'dead', ...OVER_BEFORE_SENDING],
  /** The last attempt was not taken; the next one has a time. */
  retrying: ['sending', 'queued', 'dead', ...OVER_BEFORE_SENDING],
  /** The last attempt may have been taken; the next one follows the channel's policy. */
  ambiguous: ['sending', 'queued', 'dead', ...OVER_BEFORE_SENDING],
  /** The provider has it; or a bundle of alerts that was open tells of it, and it began here. */
  sent: ['delivered', 'dead'],
  /** The provider says that the person has it. */
  delivered: [],
  /** Given up, with the reason. Only a retry or a replay brings it back. */
  dead: ['queued'],
  cancelled: [],
  /** The person does not want it, or the address must not be used. */
  suppressed: [],
  /** Too late to be of use. */
  expired: [],
  /** The channel was not used for this notification; the reason says why. */
  skipped: [],
};

/** The states in which something is still to be done. */
export const OPEN_STATES = [
  'scheduled',
  'queued',
  'sending',
  'retrying',
  'ambiguous',
] as const satisfies readonly DeliveryState[];

/** The states in which a delivery waits for a worker, so that a job must exist for it. */
export const WAITING_STATES = [
  'scheduled',
  'queued',
  'retrying',
  'ambiguous',
] as const satisfies readonly DeliveryState[];

/** True when a delivery may go from `from` to `to`. */
export function isLegalMove(from: DeliveryState, to: DeliveryState): boolean {
  return LEGAL_MOVES[from].includes(to);
}

/** What outsiders see of a notification. */
export const STATUSES = ['PENDING', 'SENT', 'FAILED', 'CANCELLED'] as const;
export type Status = (typeof STATUSES)[number];

/**
 * The public status of a notification, derived from its deliveries:
 * something is still to be done → PENDING; one was given up → FAILED; one went out → SENT; one was cancelled → CANCELLED;
 * nobody was reached → FAILED. The ledger keeps it in a generated column; this is the same rule for readers and tests.
 */
export function statusOf(states: readonly DeliveryState[]): Status {
  const has = (...wanted: DeliveryState[]) => states.some((state) => wanted.includes(state));
  if (has(...OPEN_STATES)) return 'PENDING';
  if (has('dead')) return 'FAILED';
  if (has('sent', 'delivered')) return 'SENT';
  if (has('cancelled')) return 'CANCELLED';
  return 'FAILED';
}
