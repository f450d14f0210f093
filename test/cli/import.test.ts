import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createWriteStream, rmSync, type WriteStream, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { items, type Json } from '../support/http.js';
import { temporaryDir } from '../support/postgres.js';
import { startProcess, type TestProcess } from '../support/process.js';
import { waitFor } from '../support/wait.js';
import { type CliEnv, type CliRun, cliOf, runCli } from './run-cli.js';

/** As many as the API writes at once. */
const CHUNK = 500;

describe('belfry users import', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [] });
  let dir: string;
  before(() => {
    dir = temporaryDir();
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  function run(args: readonly string[], input?: string): Promise<CliRun> {
    const { env } = cliOf(fleet());
    return runCli(['users', 'import', ...args], { env, ...(input === undefined ? {} : { input }) });
  }

  function file(lines: readonly string[]): string {
    const name = path.join(dir, 'people.ndjson');
    writeFileSync(name, lines.map((line) => `${line}\n`).join(''));
    return name;
  }

  async function countOf(prefix: string): Promise<number> {
    const { rows } = await fleet().database.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM person WHERE starts_with(id, $1)',
      [prefix],
    );
    return rows[0]?.count ?? 0;
  }

  /** An import of what is written into a pipe as the test goes on. */
  async function piped(env: CliEnv = {}): Promise<{ child: TestProcess; pipe: WriteStream }> {
    const name = path.join(dir, `pipe-${Math.random()}`);
    execFileSync('mkfifo', [name]);
    const options = { readyMessage: false, inheritEnv: false, args: ['users', 'import', name] };
    const child = await startProcess('apps/cli/bundle/main.js', { ...cliOf(fleet()).env, ...env }, options);
    const pipe = createWriteStream(name);
    // Whoever reads may be gone before the end.
    pipe.on('error', () => undefined);
    return { child, pipe };
  }

  it('imports some thousand people, names the refused lines by their numbers, and ends with 1', async () => {
    const lines = people('p', 5_000);
    lines.splice(2, 0, 'no JSON');
    lines.splice(1_500, 0, '{"email":"x@example.com"}');
    lines.push('{"id":"q","phone":"0911"}');
    const { code, stdout, stderr } = await run([file(lines)]);
    assert.deepEqual(stdout.split('\n'), [
      'line 3: must be a JSON object',
      'line 1501: id is required',
      'line 5003: phone must be a phone number in E.164 form such as +251911000001',
      '5000 imported: 5000 new, 0 changed; 3 refused.',
      '',
    ]);
    // On a slow machine it tells how far it is.
    assert.deepEqual(
      [code, stderr.replace(/^\d+ lines read, \d+ people imported\n/gm, '')],
      [1, 'error: 3 lines were refused.\n'],
    );
    assert.equal(await countOf('p'), 5_000);

    const again = await run([file(lines), '--json']);
    const said = again.stdout
      .trim()
      .split('\n')
      .map((line): Json => JSON.parse(line));
    assert.deepEqual(
      said.map((one) => one.line ?? one.type),
      [3, 1_501, 5_003, 'summary'],
    );
    const { type, created, updated, refused_count, complete } = said.at(-1) ?? {};
    assert.deepEqual([type, created, updated, refused_count, complete], ['summary', 0, 5_000, 3, true]);
    assert.equal(again.code, 1);
  });

  it('reads standard input, and ends with 0 when every line was taken', async () => {
    const { code, stdout, stderr } = await run(['-'], '{"id":"a"}\n{"id":"b"}\n');
    assert.deepEqual([code, stdout, stderr], [0, '2 imported: 2 new, 0 changed; 0 refused.\n', '']);
    const empty = await run(['-'], '');
    assert.deepEqual([empty.code, empty.stdout], [0, '0 imported: 0 new, 0 changed; 0 refused.\n']);
  });

  it('hears what the API says while it still sends', async () => {
    const { child, pipe } = await piped();
    pipe.write('{"email":"x@example.com"}\n');
    await waitFor(() => child.stdout.length === 1, { what: 'the refused line' });
    pipe.end('{"id":"late"}\n');
    assert.equal((await child.exited).code, 1);
    assert.deepEqual(child.stdout, ['line 1: id is required', '1 imported: 1 new, 0 changed; 1 refused.']);
  });

  it('says what stopped it before its end', async () => {
    const { child, pipe } = await piped();
    pipe.write(text(people('kept-', CHUNK + 1)));
    await waitFor(async () => (await countOf('kept-')) === CHUNK, { what: 'the first chunk' });
    const other = await fleet().database.connect();
    try {
      await other.query('BEGIN; LOCK TABLE person IN ACCESS EXCLUSIVE MODE');
      pipe.end(text(people('lost-', CHUNK)));
      assert.equal((await child.exited).code, 1);
    } finally {
      await other.query('ROLLBACK');
      other.release();
    }
    assert.deepEqual(child.stdout, [`${CHUNK} imported: ${CHUNK} new, 0 changed; 0 refused.`]);
    assert.match(
      child.stderr[0] ?? '',
      /^error: The import stopped before its end: The database cannot be reached\./,
    );
    assert.match(child.stderr[1] ?? '', /importing the same file again changes nothing twice/);
    assert.equal(await countOf('lost-'), 0);
  });

  it('says that it broke off when the API goes', async () => {
    const api = await fleet().addApi();
    const { child, pipe } = await piped({ BELFRY_URL: api.url });
    pipe.write(text(people('before-', CHUNK + 1)));
    await waitFor(async () => (await countOf('before-')) === CHUNK, { what: 'the first chunk' });
    api.kill('SIGKILL');
    // While the pipe is open and nobody writes.
    assert.equal((await child.exited).code, 1);
    assert.match(child.stderr.join('\n'), /importing the same file again changes nothing twice/);
    pipe.destroy();
  });

  it('passes on a refusal that comes before the end of the file', async () => {
    const env = { BELFRY_URL: fleet().api.url, BELFRY_TOKEN: await fleet().token('user', 'abebe') };
    const name = file(people('never-', 50_000));
    const { code, stdout, stderr } = await runCli(['users', 'import', name], { env });
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^error: Forbidden\n {2}This needs a token with another role/);
    assert.equal(await countOf('never-'), 0);
  });

  it('is on the audit trail with who did it and how it ended', async () => {
    const trail = items(await cliOf(fleet()).json('audit', 'list', '--action', 'person.import', '--all'));
    const ends = trail.map(({ actor, details }) => `${String(actor).split(':')[0]} ${details?.state}`);
    // The newest first. An API that was killed has said that it began.
    assert.deepEqual(ends, [
      'cli begun',
      'cli broken_off',
      'cli begun',
      'cli whole',
      'cli whole',
      'cli ended',
      'cli begun',
      'cli ended',
      'cli begun',
    ]);
  });

  it('says that a file is not there, or is a folder', async () => {
    assert.match((await run([path.join(dir, 'nothing')])).stderr, /cannot be read: there is no such file/);
    assert.match((await run([dir])).stderr, /is a folder/);
  });
});

function people(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => JSON.stringify({ id: `${prefix}${n}`, locale: 'am' }));
}

function text(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
