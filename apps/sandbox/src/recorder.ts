import { EventEmitter } from 'node:events';
import type { SandboxChannel } from './message.js';
import { type ArrivedMessage, addressMatches, type RecordedMessage, SANDBOX_CHANNELS } from './message.js';
import { type Duplicates, Tally } from './tally.js';

/** Which messages to show. Every field that is given must fit. */
export interface MessageFilter {
  readonly channel?: SandboxChannel | undefined;
  /** An address, or `*@domain`. */
  readonly to?: string | undefined;
  readonly delivery?: string | undefined;
  /** Only messages with a greater id. */
  readonly after?: number | undefined;
  /** At most so many; the newest win. */
  readonly limit?: number | undefined;
}

/** Counts over everything that was accepted since the start or the last clear, shown or not. */
export interface MessageStats {
  readonly total: number;
  readonly by_channel: Readonly<Record<SandboxChannel, number>>;
  readonly duplicates: { readonly by_delivery_id: Duplicates; readonly by_message_id: Duplicates };
}

/** How much the recorder keeps. Counts stay exact beyond it. */
export interface RecorderLimits {
  /** Messages kept at all. */
  readonly messages: number;
  /** The newest messages whose bodies are kept whatever their size. */
  readonly bodies: number;
  /** Bodies up to this many octets on the wire stay as long as their message, so that an SMS can be looked up. */
  readonly smallBody: number;
}

const LIMITS: RecorderLimits = { messages: 50_000, bodies: 2_000, smallBody: 2_048 };

/** Remembers what every protocol accepted, in the order of arrival. */
export class Recorder extends EventEmitter<{ message: [RecordedMessage]; cleared: [] }> {
  readonly #limits: RecorderLimits;
  #messages: RecordedMessage[] = [];
  #lastId = 0;
  #counts = noMessages();
  #deliveries = new Tally();
  #messageIds = new Tally();

  constructor(limits: RecorderLimits = LIMITS) {
    super();
    this.#limits = limits;
  }

  /** Takes a message in. It is visible to every reader before this returns. */
  record(arrived: ArrivedMessage): RecordedMessage {
    const byMessageId = arrived.message_id === undefined ? 1 : this.#messageIds.add(arrived.message_id);
    const attempts = arrived.delivery_id === null ? byMessageId : this.#deliveries.add(arrived.delivery_id);
    this.#lastId += 1;
    const message: RecordedMessage = {
      ...arrived,
      id: this.#lastId,
      to: arrived.recipients[0],
      received_at: new Date().toISOString(),
      attempts,
      body_dropped: false,
    };
    this.#counts[arrived.channel] += 1;
    this.#messages.push(message);
    this.#dropOldBody();
    this.#dropOldMessages();
    this.emit('message', message);
    return message;
  }

  /** The messages that fit, oldest first. */
  find(filter: MessageFilter): RecordedMessage[] {
    const { channel, to, delivery, after = 0, limit = this.#limits.messages } = filter;
    const fitting = this.#messages.slice(this.#indexAfter(after)).filter((message) => {
      if (channel !== undefined && message.channel !== channel) return false;
      if (delivery !== undefined && message.delivery_id !== delivery) return false;
      return to === undefined || message.recipients.some((recipient) => addressMatches(to, recipient));
    });
    return fitting.slice(Math.max(0, fitting.length - limit));
  }

  get(id: number): RecordedMessage | undefined {
    const message = this.#messages[this.#indexAfter(id - 1)];
    return message?.id === id ? message : undefined;
  }

  stats(): MessageStats {
    return {
      total: Object.values(this.#counts).reduce((sum, count) => sum + count, 0),
      by_channel: { ...this.#counts },
      duplicates: {
        by_delivery_id: this.#deliveries.duplicates(),
        by_message_id: this.#messageIds.duplicates(),
      },
    };
  }

  clear(): void {
    this.#messages = [];
    this.#counts = noMessages();
    this.#deliveries = new Tally();
    this.#messageIds = new Tally();
    this.emit('cleared');
  }

  // Ids have no gaps, so a position follows from an id without a search.
  #indexAfter(id: number): number {
    const first = this.#messages[0];
    return first === undefined ? 0 : Math.max(0, id + 1 - first.id);
  }

  #dropOldBody(): void {
    const index = this.#messages.length - 1 - this.#limits.bodies;
    const message = this.#messages[index];
    if (message === undefined || message.raw_size <= this.#limits.smallBody) return;
    const { html: _html, headers: _headers, ...rest } = message;
    this.#messages[index] = { ...rest, text: '', body_dropped: true };
  }

  // In slices of a fiftieth: moving the whole array once for each message would cost more than the messages.
  #dropOldMessages(): void {
    const slice = Math.ceil(this.#limits.messages / 50);
    if (this.#messages.length >= this.#limits.messages + slice) this.#messages.splice(0, slice);
  }
}

function noMessages(): Record<SandboxChannel, number> {
  const none: Partial<Record<SandboxChannel, number>> = {};
  for (const channel of SANDBOX_CHANNELS) none[channel] = 0;
  return none as Record<SandboxChannel, number>;
}
