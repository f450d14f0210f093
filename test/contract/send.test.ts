import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Found } from '@belfry/channels/provider.js';
import type { OpenProvider } from '@belfry/channels/providers.js';
import { createSender } from '@belfry/channels/send.js';
import type { Outcome, OutcomeKind } from '@belfry/shared/domain/outcome.js';
import { outcome, type Script, scripted } from './scripted.js';
import { text } from './twilio-subject.js';

const says = (kind: OutcomeKind, name?: string, code?: string) =>
  scripted({ ...(name === undefined ? {} : { name }), send: async () => outcome(kind, code) });
const patient = () => new AbortController().signal;
const send = (providers: OpenProvider[], ambiguous = false, signal = patient()) =>
  createSender({ providers }).send(text(), { ambiguous, signal });

describe('sending', () => {
  for (const kind of ['retry', 'throttled', 'misconfigured'] as const) {
    it(`goes on to the next provider after ${kind}`, async () => {
      const attempt = await send([says(kind), says('sent', 'two')]);
      assert.deepEqual(
        attempt.tries.map((one) => [one.provider, one.outcome.kind]),
        [
          ['one', kind],
          ['two', 'sent'],
        ],
      );
      assert.equal(attempt.outcome.kind, 'sent');
    });
  }

  it('asks only the accounts that reach the device', async () => {
    const web = scripted({ name: 'web', abilities: { platforms: ['web'] } });
    const phones = scripted({ name: 'phones', abilities: { platforms: ['ios', 'android'] } });
    const to = (platform: 'web' | 'ios', providers: OpenProvider[]) =>
      createSender({ providers }).send(
        { ...text(), device: { platform, keys: null } },
        { ambiguous: false, signal: patient() },
      );
    assert.deepEqual(
      (await to('ios', [web, phones])).tries.map(({ provider }) => provider),
      ['phones'],
    );
    assert.deepEqual(
      (await to('web', [phones, web])).tries.map(({ provider }) => provider),
      ['web'],
    );
    const { tries, outcome: none } = await to('ios', [web, scripted({ name: 'of-no-devices' })]);
    assert.deepEqual(tries, []);
    assert.deepEqual(none, {
      kind: 'misconfigured',
      code: 'no-provider',
      error: 'No provider is set up for sms to ios.',
    });
  });

  for (const kind of ['sent', 'ambiguous', 'rejected'] as const) {
    it(`asks no other provider after ${kind}`, async () => {
      const second = says('sent', 'two');
      const attempt = await send([says(kind), second]);
      assert.equal(second.sends, 0);
      assert.equal(attempt.outcome.kind, kind);
    });
  }

  for (const [first, second, whole] of [
    ['retry', 'throttled', 'retry'],
    ['throttled', 'retry', 'retry'],
    ['misconfigured', 'throttled', 'throttled'],
    ['misconfigured', 'retry', 'retry'],
    ['misconfigured', 'misconfigured', 'misconfigured'],
    ['retry', 'rejected', 'rejected'],
    ['retry', 'ambiguous', 'ambiguous'],
  ] as const) {
    it(`comes to ${whole} when the providers say ${first} and ${second}`, async () => {
      assert.equal((await send([says(first), says(second, 'two')])).outcome.kind, whole);
    });
  }

  it('prefers the first provider’s words when two say the same', async () => {
    assert.equal((await send([says('retry', 'one', 'a'), says('retry', 'two', 'b')])).outcome.code, 'a');
  });

  it('is misconfigured without a provider for the channel', async () => {
    const attempt = await send([]);
    assert.deepEqual(
      [attempt.tries.length, attempt.outcome.kind, attempt.outcome.code],
      [0, 'misconfigured', 'no-provider'],
    );
  });

  it('takes an exception for a bug after which the message may be out, asks nobody else and does not repeat its words', async () => {
    const second = says('sent', 'two');
    const attempt = await send([scripted({ send: () => Promise.reject(new Error('token 4711')) }), second]);
    assert.deepEqual(
      [attempt.outcome.kind, attempt.outcome.code, second.sends],
      ['ambiguous', 'internal', 0],
    );
    assert.ok(!JSON.stringify(attempt).includes('4711'));
  });

  it('gives each provider its deadline', async () => {
    const aborted = (signal: AbortSignal) =>
      new Promise<Outcome>((resolve) => {
        signal.addEventListener('abort', () => resolve(outcome('ambiguous', String(signal.reason?.name))));
      });
    const attempt = await send([scripted({ send: aborted, abilities: { timeoutMs: 10 } })]);
    assert.equal(attempt.outcome.code, 'TimeoutError');
  });

  it('leaves a provider behind that ignores its deadline, and does not know what became of the message', async () => {
    const deaf = scripted({ send: () => new Promise(() => {}), abilities: { timeoutMs: 10 } });
    const second = says('sent', 'two');
    const attempt = await send([deaf, second]);
    assert.deepEqual([attempt.outcome.kind, attempt.outcome.code, second.sends], ['ambiguous', 'overdue', 0]);
  });

  it('asks no other provider once it is called off', async () => {
    const calledOff = new AbortController();
    const first = scripted({
      send: async () => {
        calledOff.abort();
        return outcome('retry');
      },
    });
    const second = says('sent', 'two');
    await send([first, second], false, calledOff.signal);
    assert.equal(second.sends, 0);
  });

  it('stamps each try by the clock', async () => {
    let now = 0;
    const sender = createSender({
      providers: [says('retry'), says('sent', 'two')],
      clock: () => new Date(++now),
    });
    const { tries } = await sender.send(text(), { ambiguous: false, signal: patient() });
    assert.deepEqual(
      tries.map((one) => [+one.startedAt, +one.finishedAt]),
      [
        [1, 2],
        [3, 4],
      ],
    );
  });
});

describe('sending what may be out already', () => {
  const finds = (found: Found) => scripted({ find: async () => found });

  it('does not send what is found, and tells the provider’s name for it', async () => {
    const one = finds({ kind: 'sent', code: 'found', providerId: 'SM1' });
    const attempt = await send([one], true);
    assert.deepEqual(attempt.outcome, { kind: 'sent', code: 'found', providerId: 'SM1' });
    assert.deepEqual([attempt.tries.length, one.sends], [1, 0]);
  });

  it('sends what is surely absent', async () => {
    const one = finds({ kind: 'absent' });
    assert.equal((await send([one], true)).outcome.kind, 'sent');
    assert.equal(one.sends, 1);
  });

  it('asks every provider before it sends through any', async () => {
    const first = finds({ kind: 'absent' });
    const second = finds({ kind: 'sent', code: 'found' });
    assert.equal((await send([first, second], true)).outcome.code, 'found');
    assert.deepEqual([first.sends, second.sends], [0, 0]);
  });

  it('reports what the provider says when it cannot tell as it is', async () => {
    const attempt = await send([finds({ kind: 'unknown', code: 'http-500', error: 'As it is.' })], true);
    assert.deepEqual(attempt.outcome, { kind: 'ambiguous', code: 'http-500', error: 'As it is.' });
  });

  for (const [name, script] of [
    [
      'cannot tell',
      { find: async (): Promise<Found> => ({ kind: 'unknown', code: 'http-500', error: 'As scripted.' }) },
    ],
    ['throws', { find: () => Promise.reject(new Error('bug')) }],
    ['never answers', { find: () => new Promise<Found>(() => {}), abilities: { timeoutMs: 10 } }],
    ['cannot be asked after all', {}],
  ] as [string, Script][]) {
    it(`sends nothing and stays ambiguous when the provider ${name}`, async () => {
      const one = scripted(script);
      assert.equal((await send([one], true)).outcome.kind, 'ambiguous');
      assert.equal(one.sends, 0);
    });
  }

  it('sends again without asking where copies are recognised', async () => {
    const one = scripted({
      abilities: { afterAmbiguous: 'resend-same-id' },
      find: () => assert.fail('asked'),
    });
    assert.equal((await send([one], true)).outcome.kind, 'sent');
  });

  it('does not ask about a first attempt', async () => {
    const one = scripted({ find: () => assert.fail('asked') });
    assert.equal((await send([one], false)).outcome.kind, 'sent');
  });
});
