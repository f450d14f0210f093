import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startProcess } from '../support/process.js';

const CANARY = 'canary-4711';

/** What a process that cannot start says on stderr. */
async function complaintOf(file: string, env: Record<string, string>): Promise<string> {
  const child = await startProcess(file, env, { readyMessage: false, inheritEnv: false });
  assert.deepEqual(await child.exited, { code: 1, signal: null });
  assert.deepEqual(child.stdout, []);
  return child.stderr.join('\n');
}

describe('a process with wrong settings', () => {
  it('that is a worker names all of them, those of its providers and queues too, and no value', async () => {
    const said = await complaintOf('apps/workers/bundle/main.js', {
      MAX_ATTEMPTS: CANARY,
      WORKER_QUEUES: 'fax.*',
      SMTP_URL: `http://u:${CANARY}@x`,
      TWILIO_AUTH_TOKEN: CANARY,
    });
    for (const name of [
      'DATABASE_URL',
      'MAX_ATTEMPTS',
      'WORKER_QUEUES',
      'SMTP_URL',
      'TWILIO_ACCOUNT_SID',
      'TWILIO_FROM',
    ])
      assert.match(said, new RegExp(`^ {2}- ${name} `, 'm'));
    assert.ok(!said.includes(CANARY));
    assert.doesNotMatch(said, /^ +at /m);
  });

  it('that is an API names all of them, and no value', async () => {
    const said = await complaintOf('apps/api/bundle/main.js', { PORT: CANARY, REDIS_URL: CANARY });
    for (const name of ['DATABASE_URL', 'PORT', 'REDIS_URL', 'JWT_SECRET'])
      assert.match(said, new RegExp(`^ {2}- ${name} `, 'm'));
    assert.ok(!said.includes(CANARY));
    assert.doesNotMatch(said, /^ +at /m);
  });
});
