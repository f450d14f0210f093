import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { withDeadline } from '@belfry/shared/service/deadline.js';

describe('a deadline', () => {
  it('passes, however much garbage is collected meanwhile', async () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const { signal, release } = withDeadline(new AbortController().signal, 300);
    const collecting = setInterval(collect, 20);
    try {
      await once(signal, 'abort', { signal: AbortSignal.timeout(10_000) });
    } finally {
      clearInterval(collecting);
      release();
    }
    assert.equal(signal.reason.name, 'TimeoutError');
  });

  it('comes early with the outer signal, whose reason it has', () => {
    const outer = new AbortController();
    const { signal, release } = withDeadline(outer.signal, 60_000);
    outer.abort(new Error('stopping'));
    assert.equal(signal.reason.message, 'stopping');
    release();
  });

  it('never passes after its call is over', ({ mock }) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const outer = new AbortController();
    const { signal, release } = withDeadline(outer.signal, 1);
    release();
    outer.abort();
    mock.timers.tick(20);
    assert.equal(signal.aborted, false);
  });
});
