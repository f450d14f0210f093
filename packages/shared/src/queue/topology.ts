import { CHANNELS, type Channel, PRIORITIES, type Priority } from '../domain/channel.js';

/** The queue of a channel and priority: `email.critical`. A queue's name has no colon, which BullMQ refuses. */
export type DeliveryQueue = `${Channel}.${Priority}`;

/** The queue that a delivery belongs in. */
export function queueOf(delivery: { channel: Channel; priority: Priority }): DeliveryQueue {
  return `${delivery.channel}.${delivery.priority}`;
}

/** Every queue of deliveries, by channel and, within it, the most urgent first. */
export const DELIVERY_QUEUES: readonly DeliveryQueue[] = CHANNELS.flatMap((channel) =>
  PRIORITIES.map((priority): DeliveryQueue => `${channel}.${priority}`),
);

/** The queue of the broadcasts that are being told, person by person. */
export const FANOUT = 'fanout';

/** The queue whose delayed jobs are the alarm clocks of escalations. */
export const ESCALATION = 'escalation';

/** Every queue there is. */
export const QUEUES: readonly (DeliveryQueue | typeof FANOUT | typeof ESCALATION)[] = [
  ...DELIVERY_QUEUES,
  FANOUT,
  ESCALATION,
];

/** Splits a queue's name into its channel and priority. */
export function partsOf(queue: DeliveryQueue): { channel: Channel; priority: Priority } {
  const channel = CHANNELS.find((one) => queue.startsWith(`${one}.`));
  const priority = PRIORITIES.find((one) => queue.endsWith(`.${one}`));
  if (channel === undefined || priority === undefined)
    throw new Error(`${queue} is not a queue of deliveries.`);
  return { channel, priority };
}

/** How a channel's concurrency is shared out among its priorities: the urgent goes first, and nothing starves. */
const SHARES: Readonly<Record<Priority, number>> = { critical: 8, high: 4, normal: 2, low: 1 };

/** The part of a channel's concurrency that a priority gets, at least one. */
export function concurrencyOf(priority: Priority, channelConcurrency: number): number {
  const total = PRIORITIES.reduce((sum, one) => sum + SHARES[one], 0);
  return Math.max(1, Math.floor((channelConcurrency * SHARES[priority]) / total));
}

/** What every worker does besides deliveries. It may be named in `WORKER_QUEUES`, for a worker that does nothing else. */
const UPKEEP = 'upkeep';

/** What `WORKER_QUEUES` chooses. */
export interface ChosenQueues {
  readonly queues: readonly DeliveryQueue[];
  readonly fanout: boolean;
  readonly escalation: boolean;
  readonly upkeep: boolean;
  /** Patterns that match nothing. */
  readonly unknown: readonly string[];
}

/** Reads `WORKER_QUEUES`: patterns such as `email.*,*.critical,upkeep`, where `*` stands for any run of characters. */
export function selectQueues(patterns: string): ChosenQueues {
  const wanted = patterns
    .split(',')
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== '');
  const matches = (name: string) => wanted.some((pattern) => matchesPattern(name, pattern));
  return {
    queues: DELIVERY_QUEUES.filter(matches),
    fanout: matches(FANOUT),
    escalation: matches(ESCALATION),
    upkeep: matches(UPKEEP),
    unknown: wanted.filter((pattern) => ![...QUEUES, UPKEEP].some((name) => matchesPattern(name, pattern))),
  };
}

/** The names of all queues that were chosen. */
export function namesOf({ queues, fanout, escalation }: ChosenQueues): string[] {
  return [...queues, ...(fanout ? [FANOUT] : []), ...(escalation ? [ESCALATION] : [])];
}

/** Nothing at all was chosen: a worker would do nothing. */
export function isIdle(chosen: ChosenQueues): boolean {
  return namesOf(chosen).length === 0 && !chosen.upkeep;
}

function matchesPattern(name: string, pattern: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.at(-1);
  if (tail === undefined) return name === pattern;
  if (!name.startsWith(head) || name.length < head.length + tail.length || !name.endsWith(tail)) return false;
  let from = head.length;
  for (const part of rest.slice(0, -1)) {
    const at = name.indexOf(part, from);
    if (at === -1) return false;
    from = at + part.length;
  }
  return from <= name.length - tail.length;
}
