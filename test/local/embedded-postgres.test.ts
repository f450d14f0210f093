import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { startEmbeddedPostgres } from '@belfry/local/embedded-postgres.js';
import { isRunning } from '@belfry/local/process-table.js';
import { Client } from 'pg';
import { temporaryDir } from '../support/postgres.js';
import { startProcess, type TestProcess } from '../support/process.js';
import { waitFor } from '../support/wait.js';

const HOLDER = 'test/dist/local/hold-postgres.js';

describe('embedded PostgreSQL', { timeout: 300_000 }, () => {
  let base = '';
  let dataDir = '';
  const holders: TestProcess[] = [];

  beforeEach(() => {
    base = temporaryDir();
    dataDir = path.join(base, 'a checkout', '.belfry');
  });
  afterEach(async () => {
    for (const holder of holders.splice(0)) await holder.stop();
    await removeCluster(dataDir);
    rmSync(base, { recursive: true, force: true });
  });

  async function hold(): Promise<TestProcess> {
    const holder = await startProcess(HOLDER, { HOLD_DATA_DIR: dataDir });
    holders.push(holder);
    return holder;
  }

  it('serves a cluster in a path with a space, to nobody without the password', async () => {
    const { ready } = await hold();
    assert.deepEqual(
      await query(ready.url, "SELECT current_setting('fsync') f, upper('é') u, current_database() d"),
      [{ f: 'on', u: 'É', d: 'belfry' }],
    );
    const wrong = new URL(String(ready.url));
    wrong.password = 'guess';
    await assert.rejects(query(wrong.href, 'SELECT 1'), /password authentication failed/);
    assert.equal(statSync(path.join(dataDir, 'postgres-password')).mode & 0o777, 0o600);
  });

  it('keeps what was committed from one start to the next', async () => {
    const first = await hold();
    await query(first.ready.url, 'CREATE TABLE kept AS SELECT 42 AS n');
    assert.deepEqual(await first.stop(), { code: 0, signal: null });
    const second = await hold();
    assert.deepEqual(await query(second.ready.url, 'SELECT n FROM kept'), [{ n: 42 }]);
  });

  it('ends when the process that started it is killed with SIGKILL', async () => {
    const holder = await hold();
    holder.kill('SIGKILL');
    await waitFor(() => !isRunning(Number(holder.ready.pid)), { what: 'the end of PostgreSQL' });
    await waitFor(() => !isRunning(Number(holder.ready.keeperPid)), { what: 'the end of its keeper' });
  });

  it('refuses a second start on the same data and names the process that uses it', async () => {
    const holder = await hold();
    const second = await startEmbeddedPostgres({ dataDir });
    assert.ok('problem' in second);
    assert.match(second.problem, new RegExp(`in use by process ${holder.pid}; stop that one first`));
    assert.deepEqual(await query(holder.ready.url, 'SELECT 1 AS n'), [{ n: 1 }]);
  });

  it('starts at once after its holder was killed, waiting for what is still ending', async () => {
    const first = await hold();
    await query(first.ready.url, 'CREATE TABLE kept AS SELECT 42 AS n');
    first.kill('SIGKILL');
    const second = await hold();
    assert.deepEqual(await query(second.ready.url, 'SELECT n FROM kept'), [{ n: 42 }]);
  });

  it('stops a server whose keeper was killed before it starts its own', async () => {
    const first = await hold();
    await query(first.ready.url, 'CREATE TABLE kept AS SELECT 42 AS n');
    process.kill(Number(first.ready.keeperPid), 'SIGKILL');
    await waitFor(() => !isRunning(Number(first.ready.keeperPid)));
    assert.ok(isRunning(Number(first.ready.pid)), 'PostgreSQL lives on as an orphan');
    const second = await hold();
    assert.ok(!isRunning(Number(first.ready.pid)));
    assert.deepEqual(await query(second.ready.url, 'SELECT n FROM kept'), [{ n: 42 }]);
  });

  it('recovers after the server itself was killed, although its pid file stays', async () => {
    const first = await hold();
    await query(first.ready.url, 'CREATE TABLE kept AS SELECT 42 AS n');
    // Stopped, so that it cannot see its server go and end by itself before it is killed too.
    process.kill(Number(first.ready.keeperPid), 'SIGSTOP');
    process.kill(Number(first.ready.pid), 'SIGKILL');
    process.kill(Number(first.ready.keeperPid), 'SIGKILL');
    await waitFor(() => !isRunning(Number(first.ready.pid)));
    assert.ok(existsSync(path.join(clusterOf(dataDir), 'data', 'postmaster.pid')));
    const second = await hold();
    assert.deepEqual(await query(second.ready.url, 'SELECT n FROM kept'), [{ n: 42 }]);
  });

  it('is not kept from starting by a pid file that names another program', async () => {
    const first = await hold();
    await first.stop();
    const pidFile = path.join(clusterOf(dataDir), 'data', 'postmaster.pid');
    writeFileSync(
      pidFile,
      `${process.pid}\n${path.join(clusterOf(dataDir), 'data')}\n0\n5432\n\n127.0.0.1\n\nready\n`,
    );
    await hold();
    assert.ok(isRunning(process.pid));
  });

  it('says so when the server ends by itself', async () => {
    const started = await startEmbeddedPostgres({ dataDir });
    assert.ok(!('problem' in started));
    process.kill(started.pid, 'SIGKILL');
    assert.match((await started.ended) ?? '', /PostgreSQL ended \(SIGKILL\)/);
    await started.stop();
  });

  it('stops twice without harm', async () => {
    const started = await startEmbeddedPostgres({ dataDir });
    assert.ok(!('problem' in started));
    await started.stop();
    await started.stop();
    assert.equal(await started.ended, undefined);
    assert.ok(!isRunning(started.pid));
  });

  it('deletes an ephemeral cluster when it stops', async () => {
    const started = await startEmbeddedPostgres({ dataDir, ephemeral: true });
    assert.ok(!('problem' in started));
    const cluster = clusterOf(dataDir);
    assert.ok(existsSync(cluster));
    await started.stop();
    assert.ok(!existsSync(cluster));
  });

  it('runs in a directory that only its owner may enter, and leaves the modes as they are', async () => {
    const closed = path.join(base, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    dataDir = path.join(closed, '.belfry');
    const holder = await hold();
    assert.deepEqual(await query(holder.ready.url, 'SELECT 1 AS n'), [{ n: 1 }]);
    assert.equal(statSync(closed).mode & 0o777, 0o700);
    // Root's PostgreSQL runs as somebody else, who cannot get in there.
    const moved = process.getuid?.() === 0;
    assert.equal(!clusterOf(dataDir).startsWith(closed), moved);
    assert.equal(typeof holder.ready.note === 'string', moved);
    await query(holder.ready.url, 'CREATE TABLE kept AS SELECT 42 AS n');
    await holder.stop();
    const second = await hold();
    assert.deepEqual(await query(second.ready.url, 'SELECT n FROM kept'), [{ n: 42 }]);
  });
});

async function query(url: unknown, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: String(url), connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

function clusterOf(dataDir: string): string {
  const moved = path.join(dataDir, 'postgres-home');
  return existsSync(moved) ? readFileSync(moved, 'utf8').trim() : path.join(dataDir, 'postgres');
}

// A moved cluster is deleted as well, once nobody serves it.
async function removeCluster(dataDir: string): Promise<void> {
  await waitFor(() => !existsSync(path.join(dataDir, 'postgres.lock')), { what: 'the end of the keeper' });
  rmSync(clusterOf(dataDir), { recursive: true, force: true });
}
