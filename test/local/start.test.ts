import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { commandOf, isRunning } from '@belfry/local/process-table.js';
import { ask } from '../support/http.js';
import { freePort } from '../support/ports.js';
import { temporaryDir } from '../support/postgres.js';
import { ROOT, startProcess, type TestProcess } from '../support/process.js';
import { waitFor } from '../support/wait.js';

/** Nothing of the surroundings decides which providers or stores are used. */
const NO_PROVIDERS = {
  DATABASE_URL: '',
  REDIS_URL: '',
  SMTP_URL: '',
  TWILIO_ACCOUNT_SID: '',
  JWT_SECRET: '',
};

describe('npm start', { timeout: 400_000 }, () => {
  let base = '';
  let dataDir = '';
  let port = 0;
  const started: TestProcess[] = [];

  beforeEach(async () => {
    base = temporaryDir();
    dataDir = path.join(base, 'the data');
    port = await freePort();
  });
  afterEach(async () => {
    for (const each of started.splice(0)) await each.stop();
    await waitFor(() => !existsSync(path.join(dataDir, 'postgres.lock')), { what: 'the end of PostgreSQL' });
    rmSync(base, { recursive: true, force: true });
  });

  async function start(env: Record<string, string> = {}): Promise<TestProcess> {
    const settings = { ...NO_PROVIDERS, PORT: String(port), DATA_DIR: dataDir, NO_COLOR: '1', ...env };
    const each = await startProcess('apps/local/bundle/main.js', settings, {
      readyMessage: /Belfry is ready/,
      timeoutMs: 60_000,
    });
    started.push(each);
    return each;
  }

  it('shows a notification being sent by email, SMS and push, and prints a curl line that works', async () => {
    // A port that both workers would want.
    const { stdout } = await start({ WORKER_PORT: String(await freePort()) });
    for (const channel of ['email', 'sms', 'push']) {
      assert.ok(
        stdout.some((line) => new RegExp(`${channel} +(sent|delivered) `).test(line)),
        stdout.join('\n'),
      );
    }
    assert.ok(
      stdout.some((line) => line.includes(`Inbox      http://127.0.0.1:${port}/inbox  (its token: npm run`)),
    );
    const { body } = await ask('GET', `${sandboxOf(stdout)}/push/vapid-key`);
    assert.match(String(body.public_key), /^[\w-]{87}$/);
    const curl = stdout.find((line) => line.startsWith('curl ')) ?? '';
    const answer = JSON.parse(execFileSync('/bin/sh', ['-c', curl], { encoding: 'utf8', timeout: 10_000 }));
    assert.ok(answer.notification_id, JSON.stringify(answer));
  });

  it('is what the commands beside it mean, without a setting', async () => {
    await start();
    const env = {
      ...process.env,
      ...NO_PROVIDERS,
      DATA_DIR: dataDir,
      BELFRY_URL: '',
      BELFRY_TOKEN: '',
      PORT: '',
    };
    const run = (...words: string[]) => {
      const script = path.join(ROOT, 'scripts/run.mjs');
      return JSON.parse(
        execFileSync(process.execPath, [script, ...words, '--json'], { env, timeout: 60_000 }).toString(),
      );
    };
    assert.equal(run('belfry', 'stats').total_notifications, 1);
    // The sandbox stands in for the receivers of webhooks too, and the demo people have theirs there.
    const hooked = run('belfry', 'send', 'abebe', '-m', 'Hello', '-c', 'webhook', '--wait');
    assert.equal(hooked.status, 'SENT', JSON.stringify(hooked));
    const { ok, findings } = run('doctor');
    assert.ok(ok);
    // The sandbox carries mail and SMS, and the API has the port.
    assert.deepEqual(
      findings.filter(({ level }: { level: string }) => level !== 'ok'),
      [],
    );
  });

  it('ends with 0 within 10 s of SIGTERM and leaves no process behind', async () => {
    const each = await start();
    const family = descendants(each.pid);
    assert.ok(family.length >= 6, `only ${family.length} processes`);
    // the bound of `stop` is a SIGKILL, which would not be exit code 0
    assert.deepEqual(await each.stop(10_000), { code: 0, signal: null });
    assert.deepEqual(family.filter(isRunning), []);
    assert.ok(!existsSync(path.join(dataDir, 'running.json')));
  });

  it('leaves no process behind when it is killed, and starts again on the same data', async () => {
    const first = await start();
    const family = descendants(first.pid);
    first.kill('SIGKILL');
    await waitFor(() => family.every((pid) => !isRunning(pid)), {
      timeoutMs: 12_000,
      what: 'the end of all processes',
    });
    const second = await start();
    assert.ok(second.stdout.some((line) => /email +(sent|delivered) /.test(line)));
  });

  it('refuses a second start on the same data and says which process to stop', async () => {
    const first = await start();
    await assert.rejects(start({ PORT: String(await freePort()) }), new RegExp(`as process ${first.pid}`));
    assert.equal((await fetch(`http://127.0.0.1:${port}/health`)).status, 200);
  });

  it('waits for a first one that is just stopping', async () => {
    const first = await start();
    first.kill('SIGTERM');
    await waitFor(() => first.stdout.some((line) => line.endsWith('stopping')), {
      what: 'the first to stop',
    });
    await start();
    assert.deepEqual(await first.exited, { code: 0, signal: null });
  });

  it('says that a port is taken', async () => {
    await start();
    await assert.rejects(
      start({ DATA_DIR: path.join(base, 'other data') }),
      new RegExp(`port ${port} .* is taken`),
    );
  });

  it('brings back a worker and PostgreSQL when they are killed', async () => {
    const each = await start();
    const before = descendants(each.pid);
    const postgres = Number(readFileSync(postmasterFile(dataDir), 'utf8').split('\n')[0]);
    process.kill(postgres, 'SIGKILL');
    await waitFor(() => each.stdout.some((line) => line.includes('PostgreSQL is back')), {
      timeoutMs: 30_000,
    });
    const worker = before.find((pid) => commandOf(pid).includes('apps/workers/'));
    assert.ok(worker);
    process.kill(worker, 'SIGKILL');
    const isNew = (pid: number) => !before.includes(pid) && commandOf(pid).includes('apps/workers/');
    await waitFor(() => descendants(each.pid).some(isNew), { what: 'another worker' });
    await waitFor(async () => (await fetch(`http://127.0.0.1:${port}/ready`)).ok, {
      timeoutMs: 30_000,
      what: '/ready',
    });
  });

  it('keeps one secret from start to start, readable by its owner only', async () => {
    const first = await start();
    const secret = readFileSync(path.join(dataDir, 'jwt-secret'), 'utf8');
    await first.stop();
    await start();
    assert.equal(readFileSync(path.join(dataDir, 'jwt-secret'), 'utf8'), secret);
    assert.doesNotMatch(first.stdout.join('\n'), new RegExp(secret.trim()));
  });
});

function sandboxOf(stdout: readonly string[]): string {
  return /sandbox on (http:\S+?),/.exec(stdout.join('\n'))?.[1] ?? assert.fail('there is no sandbox');
}

function descendants(pid: number): number[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const children = rows
    .map((row) => row.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid);
  return children
    .flatMap(([child = 0]) => [child, ...descendants(child)])
    .filter((child) => isRunning(child));
}

function postmasterFile(dataDir: string): string {
  const moved = path.join(dataDir, 'postgres-home');
  const root = existsSync(moved) ? readFileSync(moved, 'utf8').trim() : path.join(dataDir, 'postgres');
  return path.join(root, 'data', 'postmaster.pid');
}
