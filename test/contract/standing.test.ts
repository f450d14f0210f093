import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OpenProvider } from '@belfry/channels/providers.js';
import { createSender, type SenderOptions } from '@belfry/channels/send.js';
import type { Outcome } from '@belfry/shared/domain/outcome.js';
import { type Limiter, UNLIMITED } from '@belfry/shared/queue/limiter.js';
import { outcome, scripted } from './scripted.js';
import { text } from './twilio-subject.js';

const FAILED = outcome('retry', 'http-500');
const THROTTLED: Outcome = { kind: 'throttled', code: 'http-429', error: 'x', afterMs: 60_000 };
const always = (name: string, said: Outcome) => scripted({ name, send: async () => said });

/** A sender that is asked many times. */
function sending(providers: OpenProvider[], options: Partial<SenderOptions> = {}) {
  const sender = createSender({ providers, ...options });
  const once = (ambiguous = false) =>
    sender.send(text(), { ambiguous, signal: new AbortController().signal });
  return {
    ...sender,
    once,
    async times(count: number) {
      for (let n = 0; n < count; n += 1) await once();
    },
    states: () => sender.standings().map(({ account, state, code }) => [account, state, code]),
  };
}

describe('an account that fails too often', () => {
  it('is not asked while another can do it, which gets every message', async () => {
    const [bad, good] = [always('one', FAILED), always('two', outcome('sent'))];
    const { times, states, once } = sending([bad, good]);
    await times(50);
    assert.deepEqual([bad.sends, good.sends], [8, 50]);
    assert.deepEqual((await once()).tries.length, 1);
    assert.deepEqual(states(), [
      ['one', 'open', 'http-500'],
      ['two', 'closed', null],
    ]);
  });

  it('is asked every time when it is the only one', async () => {
    const only = always('one', FAILED);
    const { times, once } = sending([only]);
    await times(50);
    assert.equal(only.sends, 50);
    assert.equal((await once()).outcome.code, 'http-500');
  });

  it('is asked first of several that all fail', async () => {
    const all = [always('one', FAILED), always('two', FAILED)];
    const { times, once } = sending(all);
    await times(50);
    assert.deepEqual(
      (await once()).tries.map(({ provider }) => provider),
      ['one'],
    );
    assert.deepEqual(
      all.map(({ sends }) => sends),
      [51, 8],
    );
  });

  it('waits for one that is only paced, instead of being asked itself', async () => {
    const never: Limiter = { ...UNLIMITED, take: async () => 250 };
    const bad = always('one', FAILED);
    const slow = scripted({ name: 'two', rate: { points: 1, seconds: 1 } });
    const { times, once } = sending([bad, slow], { makeLimiter: () => never });
    await times(8);
    const attempt = await once();
    assert.deepEqual(attempt, {
      tries: [],
      outcome: {
        kind: 'throttled',
        code: 'paced',
        error: 'The limit of the account is reached.',
        afterMs: 250,
      },
    });
    assert.deepEqual([bad.sends, slow.sends], [8, 0]);
  });

  it('is not suspected of it when every recipient has a server of its own', async () => {
    const hooks = scripted({ send: async () => FAILED, abilities: { perReceiver: true } });
    const { times, states } = sending([hooks, always('two', outcome('sent'))]);
    await times(50);
    assert.equal(hooks.sends, 50);
    assert.deepEqual(states()[0], ['one', 'closed', null]);
  });
});

describe('an account that refuses our settings', () => {
  const REFUSED = outcome('misconfigured', '535');

  it('keeps the messages without being asked again, and says until when and once that it does', async () => {
    const heard: string[] = [];
    const only = always('one', REFUSED);
    const { once, times } = sending([only], {
      holdMs: 60_000,
      onStanding: ({ account, state, code }) => heard.push(`${account} ${state} ${code}`),
    });
    assert.equal((await once()).tries.length, 1);
    const held = await once();
    assert.deepEqual([held.tries, held.outcome.kind, held.outcome.code], [[], 'misconfigured', '535']);
    assert.ok('afterMs' in held.outcome && Number(held.outcome.afterMs) > 50_000);
    await times(1_000);
    assert.equal(only.sends, 1);
    assert.deepEqual(heard, ['one misconfigured 535']);
  });

  it('loses its messages to the next one at once', async () => {
    const [bad, good] = [always('one', REFUSED), always('two', outcome('sent'))];
    const { times } = sending([bad, good]);
    await times(20);
    assert.deepEqual([bad.sends, good.sends], [1, 20]);
  });

  it('holds what may be out already as well: nobody else can be asked about it', async () => {
    const lookups: string[] = [];
    const one = scripted({
      name: 'one',
      send: async () => REFUSED,
      find: async () => {
        lookups.push('one');
        return { kind: 'absent' };
      },
    });
    const { once } = sending([one, always('two', outcome('sent'))], { holdMs: 60_000 });
    await once();
    const attempt = await once(true);
    assert.deepEqual([attempt.tries, attempt.outcome.kind, lookups], [[], 'misconfigured', []]);
  });
});

describe('a channel that nobody carries', () => {
  it('is reported once', async () => {
    const heard: string[] = [];
    const { times } = sending([], { onUncarried: (channel) => heard.push(channel) });
    await times(100);
    assert.deepEqual(heard, ['sms']);
  });
});

describe('an account that asks to go slower', () => {
  it('is left alone for as long as it asked, and others go on', async () => {
    const [busy, free] = [always('one', THROTTLED), always('two', outcome('sent'))];
    const { times } = sending([busy, free]);
    await times(20);
    assert.deepEqual([busy.sends, free.sends], [1, 20]);
  });

  it('tells how long when it is the only one, and was not asked', async () => {
    const { once } = sending([always('one', THROTTLED)]);
    await once();
    const { tries, outcome: said } = await once();
    assert.deepEqual([tries, said.kind, said.code], [[], 'throttled', 'paused']);
    assert.ok('afterMs' in said && Number(said.afterMs) > 50_000 && Number(said.afterMs) <= 65_000);
  });

  it('keeps nobody else waiting when every recipient has a server of its own', async () => {
    const hooks = scripted({ send: async () => THROTTLED, abilities: { perReceiver: true } });
    const { times } = sending([hooks]);
    await times(20);
    assert.equal(hooks.sends, 20);
  });
});

describe('an account with a limit', () => {
  it('leaves what is beyond it to the next one', async () => {
    let left = 3;
    const three: Limiter = {
      ...UNLIMITED,
      take: async (account) => (account === 'two' || left-- > 0 ? null : 100),
    };
    const [first, next] = [
      scripted({ name: 'one', rate: { points: 3, seconds: 1 } }),
      scripted({ name: 'two', rate: { points: 9, seconds: 1 } }),
    ];
    const { times } = sending([first, next], { makeLimiter: () => three });
    await times(10);
    assert.deepEqual([first.sends, next.sends], [3, 7]);
  });

  it('lets nobody through on what was known before, while it is asked about pauses', async () => {
    let answer = (_: number) => {};
    const asking: Limiter = { ...UNLIMITED, blockedMs: () => new Promise((resolve) => (answer = resolve)) };
    const one = scripted({});
    const { once } = sending([one], { makeLimiter: () => asking });
    const attempts = [once(), once(), once()];
    await Promise.resolve();
    answer(60_000);
    for (const { outcome: said } of await Promise.all(attempts)) assert.equal(said.code, 'paused');
    assert.equal(one.sends, 0);
  });

  it('is not used any more by a message that was called off while its limit was asked for', async () => {
    const calledOff = new AbortController();
    const asking: Limiter = {
      ...UNLIMITED,
      take: async () => {
        calledOff.abort();
        return null;
      },
    };
    const one = scripted({ rate: { points: 3, seconds: 1 } });
    const sender = createSender({ providers: [one], makeLimiter: () => asking });
    const { outcome: said } = await sender.send(text(), { ambiguous: false, signal: calledOff.signal });
    assert.deepEqual([said.kind, said.code, one.sends], ['retry', 'aborted', 0]);
  });

  it('is used without one when the limit cannot be asked for', async () => {
    const broken: Limiter = {
      take: () => Promise.reject(new Error('away')),
      giveBack: () => Promise.reject(new Error('away')),
      block: () => Promise.reject(new Error('away')),
      blockedMs: () => Promise.reject(new Error('away')),
    };
    const one = scripted({ rate: { points: 3, seconds: 1 } });
    const { times } = sending([one], { makeLimiter: () => broken });
    await times(5);
    assert.equal(one.sends, 5);
  });
});
