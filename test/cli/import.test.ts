import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { temporaryDir } from '../support/postgres.js';
import { type CliRun, runCli } from './run-cli.js';

/*
 * Against a server that answers as the API does: progress and refused lines while the body still comes, then the sums.
 */
describe('belfry users import', () => {
  let dir: string;
  let server: Server;
  let handle: (req: IncomingMessage, res: ServerResponse) => void | Promise<void>;

  before(async () => {
    dir = temporaryDir();
    server = createServer((req, res) => void handle(req, res));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(dir, { recursive: true, force: true });
  });

  function run(args: readonly string[], input?: string): Promise<CliRun> {
    const { port } = server.address() as AddressInfo;
    const env = { BELFRY_URL: `http://127.0.0.1:${port}`, BELFRY_TOKEN: 'x' };
    return runCli(['users', 'import', ...args], { env, ...(input === undefined ? {} : { input }) });
  }

  function file(lines: readonly string[]): string {
    const name = path.join(dir, 'people.ndjson');
    writeFileSync(name, lines.map((line) => `${line}\n`).join(''));
    return name;
  }

  it('sends a file of any length as it is, and says what came of it', async () => {
    handle = take;
    const people = Array.from({ length: 50_000 }, (_, n) => JSON.stringify({ id: `p${n}`, locale: 'am' }));
    const { code, stdout, stderr } = await run([file(people)]);
    assert.equal(stdout, '50000 imported: 50000 new, 0 changed; 0 refused.\n', stderr);
    assert.equal(code, 0);
    const answered = await run([file(people), '--json']);
    const { imported, refused_count } = JSON.parse(answered.stdout);
    assert.deepEqual([imported, refused_count], [50_000, 0]);
  });

  it('reads standard input', async () => {
    handle = take;
    const { code, stdout } = await run(['-'], '{"id":"a"}\n{"id":"b"}\n');
    assert.deepEqual([code, stdout], [0, '2 imported: 2 new, 0 changed; 0 refused.\n']);
  });

  it('names each refused line by its number while the rest goes on, and ends with 1', async () => {
    handle = take;
    const lines = ['{"id":"a"}', 'no JSON', '{"id":"b"}', '{"email":"x@example.com"}'];
    const { code, stdout, stderr } = await run([file(lines)]);
    assert.equal(code, 1);
    assert.equal(
      stdout,
      'line 2: is not JSON\nline 4: id is required\n2 imported: 2 new, 0 changed; 2 refused.\n',
    );
    assert.match(stderr, /2 lines were refused/);
    const answered = await run([file(lines), '--json']);
    const said = answered.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      said.map((one) => one.line ?? one.refused_count),
      [2, 4, 2],
    );
    assert.equal(answered.code, 1);
  });

  it('hears what the server says while it still sends', async () => {
    // The server reads on only when it has told something: who waits for the end of the body would wait for ever.
    handle = async (req, res) => {
      req.pause();
      res.writeHead(200, { 'content-type': 'application/x-ndjson' });
      res.write('{"type":"refused","line":1,"errors":[{"path":"id","message":"is required"}]}\n');
      for await (const _ of req);
      res.end('{"type":"summary","imported":0,"created":0,"updated":0,"refused_count":1,"complete":true}\n');
    };
    const { code, stdout } = await run([
      file(Array.from({ length: 20_000 }, () => '{"email":"x@example.com"}')),
    ]);
    assert.deepEqual([code, stdout.split('\n')[0]], [1, 'line 1: id is required']);
  });

  it('says what stopped it before its end', async () => {
    handle = async (req, res) => {
      for await (const _ of req);
      const counts = { imported: 1, created: 1, updated: 0, refused_count: 0 };
      const problem = { detail: 'The database cannot be reached.' };
      res.end(`${JSON.stringify({ type: 'summary', ...counts, complete: false, problem })}\n`);
    };
    const { code, stderr } = await run([file(['{"id":"a"}', '{"id":"b"}'])]);
    assert.equal(code, 1);
    assert.match(stderr, /stopped before its end: The database cannot be reached\./);
  });

  it('passes on a refusal that comes before the end of the file', async () => {
    handle = (_, res) => {
      res.writeHead(403, { 'content-type': 'application/problem+json' });
      res.end('{"status":403,"detail":"Forbidden"}');
    };
    const { code, stdout, stderr } = await run([
      file(Array.from({ length: 50_000 }, () => '{"id":"abebe"}')),
    ]);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /Forbidden/);
  });

  it('says that it broke off when the server goes', async () => {
    handle = (_, res) => {
      res.writeHead(200);
      res.write('{"type":"progress","imported":1}\n', () => res.destroy());
    };
    const { code, stderr } = await run([file(['{"id":"abebe"}'])]);
    assert.equal(code, 1);
    assert.match(stderr, /importing the same file again changes nothing twice/i);
  });

  it('says that a file is not there, or is a folder', async () => {
    assert.match((await run([path.join(dir, 'nothing')])).stderr, /cannot be read: there is no such file/);
    assert.match((await run([dir])).stderr, /is a folder/);
  });
});

/** Takes every line that is JSON with an id. */
async function take(req: IncomingMessage, res: ServerResponse): Promise<void> {
  res.writeHead(200, { 'content-type': 'application/x-ndjson' });
  let line = 0;
  let imported = 0;
  let refused = 0;
  for await (const text of createInterface({ input: req })) {
    line += 1;
    const problem = problemWith(text);
    if (problem === undefined) imported += 1;
    else {
      refused += 1;
      res.write(`${JSON.stringify({ type: 'refused', line, ...problem })}\n`);
    }
    if (line % 10_000 === 0)
      res.write(`${JSON.stringify({ type: 'progress', lines: line, imported, refused_count: refused })}\n`);
  }
  const counts = { lines: line, imported, created: imported, updated: 0, refused_count: refused };
  res.end(`${JSON.stringify({ type: 'summary', ...counts, complete: true })}\n`);
}

function problemWith(text: string) {
  try {
    return 'id' in JSON.parse(text) ? undefined : { errors: [{ path: 'id', message: 'is required' }] };
  } catch {
    return { detail: 'is not JSON' };
  }
}
