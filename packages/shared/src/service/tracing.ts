import type { Telemetry } from 'bullmq';

/** What a span says: names, codes and numbers; never an address, a text or a token. */
export type Facts = Readonly<Record<string, string | number | boolean>>;

export interface SpanOptions {
  readonly kind?: 'server' | 'producer' | 'client';
  /** The W3C `traceparent` that it follows, in the place of the span around it. */
  readonly parent?: string | null;
  /** How long ago it began. */
  readonly startedMsAgo?: number;
  readonly facts?: Facts;
}

/** A span that is over when it is written down. */
export interface PastSpan extends SpanOptions {
  readonly startedMsAgo: number;
  readonly endedMsAgo?: number;
  /** Why it did not end well, in a short name. */
  readonly failed?: string;
}

/** A span while its work runs. */
export interface LiveSpan {
  rename(name: string): void;
  say(facts: Facts): void;
  fail(why: string): void;
}

/** Follows one call from its HTTP request to the provider, over all processes. */
export interface Tracing {
  /** Runs `work` in a span of its own: what it does is below that span, however often it waits. */
  span<Result>(
    name: string,
    options: SpanOptions,
    work: (span: LiveSpan) => Promise<Result>,
  ): Promise<Result>;
  /** Writes down something that is over already, below the span around it. */
  past(name: string, span: PastSpan): void;
  /** The span around this line as a W3C `traceparent`; null when there is none. */
  current(): string | null;
  /** What BullMQ's workers trace with. */
  readonly telemetry: Telemetry | undefined;
  /** Sends what is not sent yet. It may wait for the collector: bound it. */
  stop(): Promise<void>;
}

const UNSEEN: LiveSpan = { rename: () => undefined, say: () => undefined, fail: () => undefined };

/** Traces nothing, and costs nothing. */
export const NO_TRACING: Tracing = {
  span: (_name, _options, work) => work(UNSEEN),
  past: () => undefined,
  current: () => null,
  telemetry: undefined,
  stop: async () => undefined,
};

/** What tracing is opened with, see `open-tracing.ts`. */
export interface TracingOptions {
  /** Whether a collector is set. */
  readonly on: boolean;
  /** How this process is called in a trace. */
  readonly service: string;
  /** The share of calls that are traced, 0 to 1; whoever calls with a `traceparent` decides for its own. */
  readonly share: number;
  readonly onError: (error: Error) => void;
}
