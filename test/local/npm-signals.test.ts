import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { freePort } from '../support/ports.js';
import { ROOT } from '../support/process.js';
import { waitFor } from '../support/wait.js';

describe('a server that npm runs', () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
    it(`is gone after ${signal} to npm alone`, async () => {
      const [http, smtp] = [await freePort(), await freePort()];
      const npm = spawn('npm', ['run', 'sandbox'], {
        cwd: ROOT,
        env: { ...process.env, SANDBOX_HTTP_PORT: String(http), SANDBOX_SMTP_PORT: String(smtp) },
        stdio: 'ignore',
      });
      const ended = new Promise<void>((resolve) => npm.once('exit', () => resolve()));
      await waitFor(async () => (await answers(http)) && (await answers(smtp)), {
        timeoutMs: 60_000,
        what: 'the sandbox to listen',
      });
      assert.equal(npm.kill(signal), true);
      await waitFor(async () => !(await answers(http)) && !(await answers(smtp)), {
        timeoutMs: 15_000,
        what: 'the sandbox to be gone',
      });
      await ended;
    });
  }
});

/** True when somebody listens on the port. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
