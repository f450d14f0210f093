import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startProcess } from '../support/process.js';
import { waitFor } from '../support/wait.js';

/** A worker whose database is not there waits for it, and has waited for nothing else before. */
async function waitingWorker() {
  const env = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/x', LOG_LEVEL: 'info' };
  const worker = await startProcess('apps/workers/bundle/main.js', env, {
    readyMessage: /waiting for the database/,
    inheritEnv: false,
  });
  assert.deepEqual(worker.stderr, []);
  return worker;
}

describe('a process that is still opening', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`ends well on ${signal}, although what it waits for never comes`, async () => {
      const worker = await waitingWorker();
      worker.kill(signal);
      const ended = await waitFor(() => worker.exited, { timeoutMs: 5_000 });
      // Without a handler the signal itself would have ended it, and in a container nothing would have.
      assert.deepEqual(ended, { code: 0, signal: null });
    });
  }
});

describe('a command that is told to end before it is done', () => {
  it('says that it is not done', async () => {
    const env = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/x', REDIS_URL: 'redis://127.0.0.1:1' };
    const command = await startProcess('apps/api/bundle/commands/rebuild-queues.js', env, {
      readyMessage: /waiting for the queue/,
      inheritEnv: false,
    });
    command.kill('SIGTERM');
    assert.deepEqual(await command.exited, { code: 1, signal: null });
  });
});
