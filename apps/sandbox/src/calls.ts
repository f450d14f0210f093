import { SANDBOX_CHANNELS, type SandboxChannel } from './message.js';

/** What happened on the wire of one channel, whether or not a message came of it. */
export interface ChannelCalls {
  /** Tries to hand over a message: an SMTP transaction (or a connection that a fault ended), an HTTP POST. */
  readonly tries: number;
  /** Questions about earlier messages: an HTTP GET. */
  readonly lookups: number;
  /** Messages accepted, whatever the caller was told. */
  readonly recorded: number;
  /** Answers sent, by status or reply code, to tries and lookups. */
  readonly answers: Readonly<Record<string, number>>;
  /** Faults played, by kind. */
  readonly faults: Readonly<Record<string, number>>;
}

/** The calls of every channel. */
export type Calls = Readonly<Record<SandboxChannel, ChannelCalls>>;

interface Counters {
  tries: number;
  lookups: number;
  recorded: number;
  answers: Map<string, number>;
  faults: Map<string, number>;
}

/** Counts every try that reaches a protocol, the refused and the unanswered included. */
export class CallCounters {
  #channels = new Map<SandboxChannel, Counters>();

  tried(channel: SandboxChannel): void {
    this.#of(channel).tries += 1;
  }

  lookedUp(channel: SandboxChannel): void {
    this.#of(channel).lookups += 1;
  }

  recorded(channel: SandboxChannel): void {
    this.#of(channel).recorded += 1;
  }

  answered(channel: SandboxChannel, code: number): void {
    increase(this.#of(channel).answers, String(code));
  }

  faulted(channel: SandboxChannel, kind: string): void {
    increase(this.#of(channel).faults, kind);
  }

  snapshot(): Calls {
    const shown = SANDBOX_CHANNELS.map((channel) => {
      const { answers, faults, ...counts } = this.#of(channel);
      const calls: ChannelCalls = {
        ...counts,
        answers: Object.fromEntries(answers),
        faults: Object.fromEntries(faults),
      };
      return [channel, calls] as const;
    });
    return Object.fromEntries(shown) as Record<SandboxChannel, ChannelCalls>;
  }

  clear(): void {
    this.#channels.clear();
  }

  #of(channel: SandboxChannel): Counters {
    const known = this.#channels.get(channel);
    if (known !== undefined) return known;
    const fresh: Counters = { tries: 0, lookups: 0, recorded: 0, answers: new Map(), faults: new Map() };
    this.#channels.set(channel, fresh);
    return fresh;
  }
}

function increase(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
