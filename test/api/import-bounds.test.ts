import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Fleet, useFleet } from '../support/fleet.js';
import { ask, type Json } from '../support/http.js';
import { waitFor } from '../support/wait.js';
import { auditOf } from './audit-rows.js';
import { assertProblem } from './problem.js';
import { speak } from './raw-http.js';

const NDJSON = { 'content-type': 'application/x-ndjson' };
const MB = 1024 ** 2;
const GB = 1024 ** 3;

describe('the bounds of an import', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [], env: { DATABASE_POOL: '2' } });

  test('100 000 people are imported without growing memory', async (context) => {
    // What the runtime allocates once is allocated by the first import.
    await importing(fleet(), people('warm', 20_000, PAD));
    const before = residentMb(fleet());
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, residentMb(fleet()));
    }, 50);
    const since = performance.now();
    const told = await importing(fleet(), people('mem', 100_000, PAD)).finally(() => clearInterval(watch));
    const seconds = ((performance.now() - since) / 1_000).toFixed(1);
    assert.deepEqual([told.created, told.refused_count], [100_000, 0]);
    const { rows } = await fleet().database.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM person WHERE id LIKE 'mem-%' AND email LIKE 'mem-%@example.org'`,
    );
    assert.equal(rows[0]?.count, 100_000);
    const after = residentMb(fleet());
    context.diagnostic(
      `resident: ${before} MB before, ${most} MB at most, ${after} MB after; ${BODY_MB} MB in ${seconds} s`,
    );
    // The heap takes some 60 MB before it is swept, however much passes through it; what is kept would be all of the body.
    assert.ok(most - before < BODY_MB / 2, `it grew from ${before} to ${most} MB`);
  });

  test('a body that swells beyond 1 GB ends there, in little memory', async () => {
    const part = gzipSync(Buffer.alloc(64 * MB, ' '));
    const bomb = Buffer.concat(Array.from({ length: 17 }, () => part));
    assert.ok(bomb.length < 16 * MB);
    const before = residentMb(fleet());
    const authorization = `Bearer ${await fleet().token('admin')}`;
    const headers = { ...NDJSON, 'content-encoding': 'gzip', authorization };
    // A gigabyte takes its time on a machine that has other things to do.
    const answer = await ask('POST', `${fleet().api.url}/api/v1/users/import`, bomb, headers, 120_000);
    assertProblem(answer, 413, { code: 'too_large' });
    assert.equal(answer.body.imported, 0);
    assert.ok(residentMb(fleet()) - before < 100);
    const { status } = await speak(fleet().api.url, [await head(fleet(), `Content-Length: ${GB + 1}`)]);
    assert.equal(status, 413, 'one that says so is not even read');
  });

  test('who is slow holds no connection to the database, and four of them are enough', async () => {
    const slow = await Promise.all(Array.from({ length: 4 }, (_, n) => slowly(fleet(), `slow${n}`)));
    for (const { socket } of slow) socket.write(chunked(people('slow-a', 600)));
    await waitFor(async () => (await count(fleet(), 'slow-a-%')) === 500, { what: 'the first chunks' });
    for (let round = 0; round < 10; round += 1)
      assert.equal((await fleet().call('GET', '/users?limit=1')).status, 200);
    await waitFor(async () => (await busyConnections(fleet())) === 0, {
      what: 'nobody to be in a transaction',
    });
    assertProblem(await fleet().call('POST', '/users/import', '{"id":"fifth"}', { headers: NDJSON }), 429);
    for (const { socket } of slow) socket.write(`${chunked('{"id":"slow-end"}\n')}0\r\n\r\n`);
    for (const { ended } of slow) {
      const text = await ended;
      assert.match(text, /^HTTP\/1\.1 200 /);
      assert.match(text, /"imported":601/);
    }
    assert.equal(await count(fleet(), 'slow-a-%'), 600);
    const next = await fleet().call('POST', '/users/import', '{"id":"sixth"}', { headers: NDJSON });
    assert.equal(next.status, 200, 'when they are gone, others may');
  });

  test('of an upload that is broken off, what was committed stays, and the trail says how far it came', async () => {
    const { socket } = await slowly(fleet(), 'cut');
    socket.write(chunked(people('cut', 1_100)));
    await waitFor(async () => (await count(fleet(), 'cut-%')) === 1_000, { what: 'two chunks' });
    socket.resetAndDestroy();
    const ended = await waitFor(async () => {
      const [last] = await auditOf(fleet(), 'person.import');
      return last?.details.state === 'broken_off' ? last : undefined;
    });
    assert.deepEqual(ended.details, { state: 'broken_off', created: 1_000, updated: 0, refused: 0 });
    assert.equal(ended.actor, 'cut');
    assert.equal(await count(fleet(), 'cut-%'), 1_000);
    const again = await importing(fleet(), people('cut', 1_100));
    assert.deepEqual([again.created, again.updated], [100, 1_000]);
  });

  test('who does not read the answer is waited for without keeping it in memory', async () => {
    const { socket, text } = await slowly(fleet(), 'deaf', 'Accept: application/x-ndjson');
    await waitFor(() => socket.pause().isPaused());
    const before = residentMb(fleet());
    // Each of them is refused with more words than it has itself, some 60 MB altogether.
    const wrong = `${JSON.stringify({ id: 'x y', email: 'x', phone: 'x', locale: '?', timezone: '?' })}\n`;
    const some = chunked(wrong.repeat(2_000));
    let sent = 0;
    while (sent < 100 && socket.write(some)) sent += 1;
    await waitFor(() => socket.writableNeedDrain || sent === 100, { what: 'the pipe to be full' });
    assert.ok(sent < 100, 'nobody took it all');
    assert.ok(residentMb(fleet()) - before < 60);
    socket.resume();
    await waitFor(() => text().includes('"type":"progress"'));
    socket.destroy();
  });

  test('nothing went wrong inside', () => {
    const wrong = fleet()
      .logs()
      .filter((line) => /"level":"(error|fatal)"/.test(line));
    assert.deepEqual(wrong, []);
  });
});

/** As long as a line with a good deal of what nobody asked for, so that whoever keeps lines is found out. */
const PAD = 'x'.repeat(2_000);
const BODY_MB = Math.round((100_000 * (PAD.length + 100)) / MB);

function* people(prefix: string, howMany: number, note = ''): Generator<string> {
  for (let n = 0; n < howMany; n += 1) {
    const person = {
      id: `${prefix}-${n}`,
      email: `${prefix}-${n}@example.org`,
      locale: 'am',
      groups: ['all'],
    };
    yield `${JSON.stringify({ ...person, note })}\n`;
  }
}

/** Imports lines as they are made, so that this process does not hold them either. */
async function importing(fleet: Fleet, lines: Iterable<string>): Promise<Json> {
  const body = ReadableStream.from(inPieces(lines));
  const response = await fetch(`${fleet.api.url}/api/v1/users/import`, {
    method: 'POST',
    headers: { ...NDJSON, authorization: `Bearer ${await fleet.token('admin')}` },
    body,
    duplex: 'half',
    signal: AbortSignal.timeout(180_000),
  });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text);
}

function* inPieces(lines: Iterable<string>): Generator<Uint8Array> {
  let piece = '';
  for (const line of lines) {
    piece += line;
    if (piece.length < 64 * 1024) continue;
    yield Buffer.from(piece);
    piece = '';
  }
  yield Buffer.from(piece);
}

function residentMb(fleet: Fleet): number {
  const status = readFileSync(`/proc/${fleet.api.pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

async function count(fleet: Fleet, like: string): Promise<number> {
  const { rows } = await fleet.database.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM person WHERE id LIKE $1',
    [like],
  );
  return rows[0]?.count ?? 0;
}

async function busyConnections({ database }: Fleet): Promise<number> {
  const { rowCount } = await database.query(
    `SELECT 1 FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'belfry-api' AND state <> 'idle'`,
  );
  return rowCount ?? 0;
}

async function head(fleet: Fleet, more: string, sub?: string): Promise<string> {
  return [
    'POST /api/v1/users/import HTTP/1.1',
    'Host: belfry',
    'Connection: close',
    `Authorization: Bearer ${await fleet.token('admin', sub)}`,
    'Content-Type: application/x-ndjson',
    more,
    '\r\n',
  ].join('\r\n');
}

function chunked(text: string | Iterable<string>): string {
  const whole = typeof text === 'string' ? text : [...text].join('');
  return `${Buffer.byteLength(whole).toString(16)}\r\n${whole}\r\n`;
}

interface Slow {
  readonly socket: Socket;
  readonly text: () => string;
  readonly ended: Promise<string>;
}

/** Begins an import whose body is still to come, in chunks. */
async function slowly(fleet: Fleet, sub: string, more = 'X-Nothing: more'): Promise<Slow> {
  const socket = connect(Number(new URL(fleet.api.url).port), '127.0.0.1');
  let text = '';
  socket.on('data', (data) => {
    text += data.toString('latin1');
  });
  socket.on('error', () => undefined);
  const ended = new Promise<string>((resolve) => socket.once('close', () => resolve(text)));
  socket.write(await head(fleet, `Transfer-Encoding: chunked\r\n${more}`, sub));
  return { socket, text: () => text, ended };
}
