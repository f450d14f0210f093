import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '../domain/ids.js';
import { within } from '../service/within.js';
import { bounded } from './bounded.js';
import type { QueueEngine, SignalRelay } from './queue-engine.js';

/**
 * Tells every API process to look at the inboxes of some people. It says whom to look at and never what is there: the ledger
 * has that. So a signal that is lost, doubled or late is only a delay, for everybody looks by themselves as well.
 */
export interface RealtimeBus {
  /** There may be something new about these people. Returns at once; whoever calls has committed already. */
  look(personIds: readonly string[]): void;
}

export interface OpenRealtimeBus extends RealtimeBus {
  stop(): Promise<void>;
}

export interface BusOptions {
  readonly engine: QueueEngine;
  /** Called with the marks of people that another process told of; absent in processes that only tell. */
  readonly hear?: (marks: readonly string[]) => void;
  readonly onError: (error: Error) => void;
}

const TOPIC = 'look';
/** People in one message. */
const AT_ONCE = 1_000;
/** People waiting to be told of at most. What is more is left to those who look by themselves. */
const MOST_WAITING = 20_000;
const PAUSE_MS = 1_000;

interface Signal {
  readonly from: string;
  readonly marks: readonly string[];
}

/**
 * What a person is called on the bus: an application may choose an address as an id, and no address is kept by an engine. Whoever
 * has the person connected knows the mark.
 */
export function markOf(personId: string): string {
  return createHash('sha256').update(personId).digest('base64url').slice(0, 22);
}

/**
 * The bus on BullMQ's `Relay`, which works alike on both engines. The engine's own tables must be there. It is the one file that
 * knows the relay, whose API may still change.
 */
export function openRealtimeBus({ engine, hear, onError }: BusOptions): OpenRealtimeBus {
  const self = newId();
  const waiting = new Set<string>();
  const stopping = new AbortController();
  let relay: SignalRelay | undefined;
  let flying = false;

  async function connect(): Promise<void> {
    while (!stopping.signal.aborted) {
      const opened = engine.relay();
      try {
        await Promise.race([opened.waitUntilReady(), aborted(stopping.signal)]);
        if (hear !== undefined && !stopping.signal.aborted)
          await opened.subscribe(TOPIC, ({ data }) => receive(data));
        relay = opened;
        void fly();
        return;
      } catch (error) {
        onError(asError(error));
        await within(PAUSE_MS, opened.close());
        await sleep(PAUSE_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  }

  function receive(data: unknown): void {
    if (isSignal(data) && data.from !== self) hear?.(data.marks);
  }

  /** One message at a time: while it is on its way, the next one gathers. */
  async function fly(): Promise<void> {
    if (flying || relay === undefined) return;
    flying = true;
    while (waiting.size > 0 && !stopping.signal.aborted) {
      const people = [...waiting].slice(0, AT_ONCE);
      for (const id of people) waiting.delete(id);
      const signal: Signal = { from: self, marks: people.map(markOf) };
      await bounded(relay.publish(TOPIC, signal)).catch(onError);
    }
    flying = false;
  }

  const connecting = connect();

  return {
    look(personIds) {
      for (const id of personIds) if (waiting.size < MOST_WAITING) waiting.add(id);
      if (!flying) setImmediate(() => void fly());
    },
    async stop() {
      stopping.abort();
      await within(PAUSE_MS, connecting);
      // Closing waits for an engine that is down.
      if (relay !== undefined) await within(PAUSE_MS, relay.close());
    },
  };
}

function isSignal(data: unknown): data is Signal {
  return (
    typeof data === 'object' &&
    data !== null &&
    'from' in data &&
    'marks' in data &&
    Array.isArray(data.marks) &&
    data.marks.every((mark) => typeof mark === 'string')
  );
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
