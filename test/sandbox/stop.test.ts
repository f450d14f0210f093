import assert from 'node:assert/strict';
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startSandbox } from '@belfry/sandbox/app.js';
import { sandboxClient } from '../support/sandbox-client.js';
import { twilioClient } from './with-sandbox.js';

const LIMIT = { timeout: 15_000 };
const MAIN = fileURLToPath(import.meta.resolve('@belfry/sandbox/main.js'));

test('stop cuts hung, dripping, streaming and idle connections, and may be called twice', LIMIT, async () => {
  const sandbox = await startSandbox({ host: '127.0.0.1', httpPort: 0, smtpPort: 0 });
  const client = sandboxClient(sandbox.httpUrl);
  await client.fault({ channel: 'email', action: { kind: 'hang', at: 'connect' } });
  await client.fault({ channel: 'sms', action: { kind: 'hang' }, times: 1 });
  await client.fault({ channel: 'sms', action: { kind: 'drip', interval_ms: 60_000 }, times: 1 });

  const sockets = [
    await openTo(sandbox.smtpPort),
    await openTo(sandbox.smtpPort),
    await openTo(sandbox.httpPort),
  ];
  const closed = sockets.map((socket) => once(socket, 'close'));
  const sms = { to: '+251911234567', from: '+15005550006', body: 'x' };
  const calls = [1, 2].map(() => assert.rejects(twilioClient(sandbox, 60_000).messages.create(sms)));
  const stream = await fetch(`${sandbox.httpUrl}/messages/stream`);
  const streamed = assert.rejects(stream.text());
  while (Object.keys((await client.calls()).sms.faults).length < 2);

  await Promise.all([sandbox.stop(), sandbox.stop()]);
  await sandbox.stop();
  await Promise.all([...closed, ...calls, streamed]);
  await assert.rejects(openTo(sandbox.smtpPort));
  await assert.rejects(openTo(sandbox.httpPort));
});

test('a port that is taken rejects the start and leaves nothing listening', LIMIT, async () => {
  const first = await startSandbox({ host: '127.0.0.1', httpPort: 0, smtpPort: 0 });
  const { httpPort, smtpPort } = first;
  await assert.rejects(startSandbox({ host: '127.0.0.1', httpPort, smtpPort: 0 }), { code: 'EADDRINUSE' });
  await assert.rejects(startSandbox({ host: '127.0.0.1', httpPort: 0, smtpPort }), { code: 'EADDRINUSE' });
  await first.stop();
});

test('a port that is taken, or none, ends the process with one line that says so', LIMIT, async () => {
  const sandbox = await startSandbox({ host: '127.0.0.1', httpPort: 0, smtpPort: 0 });
  for (const [port, why] of [
    [String(sandbox.httpPort), /^sandbox: .*EADDRINUSE.*\n$/],
    ['http', /SANDBOX_HTTP_PORT/],
  ] as const) {
    const env = { ...process.env, SANDBOX_HTTP_PORT: port, SANDBOX_SMTP_PORT: '0' };
    const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    assert.equal(code, 1);
    assert.match(said, why);
  }
  await sandbox.stop();
});

for (const way of ['SIGTERM', 'SIGINT', 'disconnect'] as const) {
  test(`the process says where it listens and ends by itself on ${way}`, LIMIT, async () => {
    const env = { ...process.env, SANDBOX_HTTP_PORT: '0', SANDBOX_SMTP_PORT: '0' };
    const child = fork(MAIN, { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    try {
      const [hello] = (await once(child, 'message')) as [
        { ready: boolean; httpUrl: string; smtpUrl: string },
      ];
      assert.equal(hello.ready, true);
      assert.match(hello.smtpUrl, /^smtp:\/\/127\.0\.0\.1:\d+$/);
      assert.equal((await fetch(`${hello.httpUrl}/messages`)).status, 200);
      const ended = once(child, 'exit');
      if (way === 'disconnect') child.disconnect();
      else child.kill(way);
      assert.deepEqual(await ended, [0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });
}

async function openTo(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  return socket;
}
