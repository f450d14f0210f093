import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Outcome } from '@belfry/shared/domain/outcome.js';
import type { Scene, Stage, Subject } from './subject.js';

/** A deadline that is short enough for a test, in milliseconds. */
const SOON_MS = 400;
/** No honest provider is this late after its deadline, in milliseconds; the test fails instead of hanging. */
const STUCK_MS = 5_000;

/** What every provider promises, whoever carries its messages. */
export function providerContract(subject: Subject): void {
  const { definition, message, scenes } = subject;
  describe(`provider ${definition.name}`, () => {
    for (const scene of scenes) {
      it(`says ${scene.expect.join(' or ')} when the other end ${scene.name}`, () =>
        played(scene, async ({ provider }) => {
          const outcome = await stuckless(provider.send(message, AbortSignal.timeout(deadlineOf(scene))));
          assert.ok(scene.expect.includes(outcome.kind), JSON.stringify(outcome));
          if (scene.code !== undefined) assert.equal(outcome.code, scene.code);
          // Whoever is only slow is stopped by the deadline; whoever is broken has to be found out before.
          if (scene.kind !== 'silent') assert.notEqual(outcome.code, 'timeout');
          keepsSecrets(outcome, subject);
        }));
    }

    for (const scene of scenes.filter(({ kind }) => kind === 'silent')) {
      it(`stops when it is called off while the other end ${scene.name}`, () =>
        played(scene, async ({ provider, reached, quiet }) => {
          const calledOff = new AbortController();
          const sending = provider.send(message, calledOff.signal);
          await stuckless(reached);
          calledOff.abort();
          const outcome = await stuckless(sending);
          const honest = [...scene.expect, scene.whenCalledOff];
          assert.ok(honest.includes(outcome.kind), JSON.stringify(outcome));
          await quiet();
        }));

      it(`ends its connections on close while the other end ${scene.name}`, () =>
        played(scene, async ({ provider, reached, quiet }) => {
          const patience = new AbortController();
          const sending = provider.send(message, patience.signal);
          await stuckless(reached);
          await provider.close();
          await quiet();
          patience.abort();
          assert.notEqual((await stuckless(sending)).kind, 'sent');
        }));
    }

    for (const scene of scenes.filter(({ kind }) => kind === 'taken')) {
      it(`keeps sending over the same stage when the other end ${scene.name}`, () =>
        played(scene, async ({ provider }) => {
          const sends = Array.from({ length: 20 }, () =>
            provider.send(message, AbortSignal.timeout(STUCK_MS)),
          );
          for (const outcome of await Promise.all(sends))
            assert.equal(outcome.kind, 'sent', JSON.stringify(outcome));
        }));

      it(`ends its connections on close, and may be closed twice, after the other end ${scene.name}`, () =>
        played(scene, async ({ provider, quiet }) => {
          await provider.send(message, AbortSignal.timeout(STUCK_MS));
          await provider.close();
          await provider.close();
          await quiet();
        }));

      it(`sends nothing under a signal that has aborted already, though the other end ${scene.name}`, () =>
        played(scene, async ({ provider }) => {
          const outcome = await stuckless(provider.send(message, AbortSignal.abort()));
          assert.equal(outcome.kind, 'retry', JSON.stringify(outcome));
        }));
    }

    it('can be asked if its abilities say so', async () => {
      if (definition.abilities.afterAmbiguous !== 'ask-first') return;
      const [scene] = scenes;
      assert.ok(scene);
      await played(scene, async ({ provider }) => assert.equal(typeof provider.find, 'function'));
    });

    it('explains each of its settings', () => {
      for (const [name, schema] of Object.entries(definition.settings.shape)) {
        assert.match(name, /^[A-Z][A-Z0-9_]+$/);
        assert.ok((schema.meta()?.description ?? '').length > 10, `${name} has no description`);
      }
    });

    it('has a deadline', () => {
      assert.ok(definition.abilities.timeoutMs > 0 && definition.abilities.timeoutMs <= 60_000);
    });
  });
}

function deadlineOf(scene: Scene): number {
  return scene.kind === 'silent' ? SOON_MS : STUCK_MS;
}

async function played(scene: Scene, act: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = await scene.open();
  try {
    await act(stage);
  } finally {
    await stage.close();
  }
}

async function stuckless<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const stuck = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('still not done long after the deadline')), STUCK_MS + SOON_MS);
  });
  try {
    return await Promise.race([work, stuck]);
  } finally {
    clearTimeout(timer);
  }
}

function keepsSecrets(outcome: Outcome, { secrets }: Subject): void {
  const told = JSON.stringify({ ...outcome, providerId: undefined });
  for (const secret of secrets) assert.ok(!told.includes(secret), `${secret} is in ${told}`);
  assert.match(outcome.code, /^[\w.-]+( [\d.]+)?$/);
}
