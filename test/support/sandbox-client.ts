import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Calls } from '@belfry/sandbox/calls.js';
import type { ListedRule } from '@belfry/sandbox/fault-book.js';
import type { FaultRuleInput } from '@belfry/sandbox/fault-rule.js';
import type { RecordedMessage, SandboxChannel } from '@belfry/sandbox/message.js';
import type { MessageStats } from '@belfry/sandbox/recorder.js';

const POLL_MS = 25;
const CALL_MS = 5_000;
const PATIENCE_MS = 10_000;

/** Which messages are meant. Every field that is given must fit. */
export interface WantedMessage {
  readonly channel?: SandboxChannel;
  /** An address, or `*@domain`. */
  readonly to?: string;
  readonly delivery?: string;
  readonly subject?: RegExp;
  readonly text?: RegExp;
}

export interface Patience {
  /** Milliseconds until the wait fails; 10 000 unless told. */
  readonly timeoutMs?: number;
}

/** Speaks to a sandbox in the words of a test. Every call is bounded and throws when the sandbox does not answer. */
export interface SandboxClient {
  /** What has arrived by now, oldest first. */
  messages(wanted?: WantedMessage): Promise<RecordedMessage[]>;
  /** The oldest fitting message that no earlier wait has returned; waits for it to arrive. */
  waitForMessage(wanted: WantedMessage, patience?: Patience): Promise<RecordedMessage>;
  expectSms(to: string, text: RegExp, patience?: Patience): Promise<RecordedMessage>;
  expectEmail(to: string, subject: RegExp, patience?: Patience): Promise<RecordedMessage>;
  /** Fails if anything has arrived that none of the waits above returned. Looks once, waits for nothing. */
  expectNothingElse(): Promise<void>;
  stats(): Promise<MessageStats>;
  calls(): Promise<Calls>;
  /** Adds a rule after those that are there; the first that fits is played. */
  fault(rule: FaultRuleInput): Promise<void>;
  faults(): Promise<ListedRule[]>;
  clearFaults(): Promise<void>;
  /** Forgets messages, counts and calls. Rules stay. */
  clear(): Promise<void>;
}

/** A client for the sandbox at `httpUrl`. */
export function sandboxClient(httpUrl: string): SandboxClient {
  const expected = new Set<number>();

  async function messages({ channel, to, delivery, subject, text }: WantedMessage = {}) {
    const query = new URLSearchParams({ limit: '50000' });
    for (const [name, value] of Object.entries({ channel, to, delivery }))
      if (value !== undefined) query.set(name, value);
    const found = (await call('GET', `/messages?${query}`)) as RecordedMessage[];
    return found.filter(
      (message) =>
        (subject === undefined || subject.test(message.subject ?? '')) &&
        (text === undefined || text.test(message.text)),
    );
  }

  async function waitForMessage(wanted: WantedMessage, { timeoutMs = PATIENCE_MS }: Patience = {}) {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = (await messages(wanted)).find(({ id }) => !expected.has(id));
      if (found !== undefined) {
        expected.add(found.id);
        return found;
      }
      if (Date.now() > deadline) {
        const others = list(await messages());
        assert.fail(`no message with ${describe(wanted)} within ${timeoutMs} ms; there are:${others}`);
      }
      await delay(POLL_MS);
    }
  }

  async function call(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(new URL(path, httpUrl), {
      method,
      signal: AbortSignal.timeout(CALL_MS),
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const answer = await response.text();
    assert.ok(response.ok, `${method} ${path} was answered with ${response.status}: ${answer}`);
    return answer === '' ? undefined : JSON.parse(answer);
  }

  return {
    messages,
    waitForMessage,
    expectSms: (to, text, patience) => waitForMessage({ channel: 'sms', to, text }, patience),
    expectEmail: (to, subject, patience) => waitForMessage({ channel: 'email', to, subject }, patience),
    expectNothingElse: async () => {
      const others = (await messages()).filter(({ id }) => !expected.has(id));
      assert.equal(others.length, 0, `${others.length} messages that nobody expected:${list(others)}`);
    },
    stats: async () => (await call('GET', '/messages/stats')) as MessageStats,
    calls: async () => (await call('GET', '/calls')) as Calls,
    fault: async (rule) => void (await call('POST', '/faults', rule)),
    faults: async () => (await call('GET', '/faults')) as ListedRule[],
    clearFaults: async () => void (await call('DELETE', '/faults')),
    clear: async () => void (await call('DELETE', '/messages')),
  };
}

function describe(wanted: WantedMessage): string {
  return Object.entries(wanted)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
}

function list(messages: readonly RecordedMessage[]): string {
  const lines = messages
    .slice(-20)
    .map(({ channel, to, subject, text }) => `\n  ${channel} to ${to}: ${(subject ?? text).slice(0, 80)}`);
  return lines.join('') || ' none';
}
