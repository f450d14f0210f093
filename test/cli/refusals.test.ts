import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { describe, it } from 'node:test';
import { freePort } from '../support/ports.js';
import { json, useAnswering } from './answering.js';
import { CLI, type CliEnv, runCli } from './run-cli.js';

const TOKEN = 'canary-token-4711';

describe('belfry that is refused', () => {
  const server = useAnswering();
  const ask = (args: readonly string[], env: CliEnv = {}) =>
    runCli(args, { env: { BELFRY_URL: server.url, BELFRY_TOKEN: TOKEN, ...env } });

  /** It failed with a sentence, said nothing on stdout, and shows neither a stack nor the token. */
  async function complaint(args: readonly string[], env: CliEnv = {}, code = 1): Promise<string> {
    const run = await ask(args, env);
    assert.deepEqual([run.code, run.stdout], [code, ''], run.stderr);
    assert.doesNotMatch(run.stderr, /^ +at /m);
    assert.ok(!run.stderr.includes(TOKEN));
    return run.stderr;
  }

  it('says how to start Belfry when nothing answers', async () => {
    const said = await complaint(['list'], { BELFRY_URL: `http://127.0.0.1:${await freePort()}` });
    assert.match(
      said,
      /Nothing answers at http:\/\/127\.0\.0\.1:\d+\.\n {2}Is Belfry running\? Start it with npm start, or set BELFRY_URL/,
    );
  });

  it('says so when there is no host by that name', async () => {
    assert.match(await complaint(['stats'], { BELFRY_URL: 'http://belfry.invalid' }), /no host by the name/);
  });

  it('tells how to get a token when there is none', async () => {
    assert.match(await complaint(['list'], { BELFRY_TOKEN: '' }), /There is no token[\s\S]*Set BELFRY_TOKEN/);
    const elsewhere = { BELFRY_TOKEN: '', ALGORITHM: 'RS256', JWT_SECRET: 'x'.repeat(32) };
    assert.match(await complaint(['list'], elsewhere), /identity provider/);
  });

  it('names every setting that is wrong, and no value', async () => {
    const said = await complaint(['list'], { BELFRY_URL: 'canary-4711', BELFRY_TOKEN: 'canary 4711' });
    assert.match(said, /- BELFRY_URL must be a URL/);
    assert.match(said, /- BELFRY_TOKEN must be a token/);
    assert.doesNotMatch(said, /canary/);
  });

  for (const [status, headers, problem, expected] of [
    [
      401,
      {},
      { detail: 'The token has expired.' },
      /The token has expired\.\n {2}Set BELFRY_TOKEN to a new one: npm run token/,
    ],
    [403, {}, { detail: 'Forbidden' }, /Forbidden\n {2}This needs a token with another role/],
    [404, {}, { detail: 'User with ID x not found.' }, /User with ID x not found\./],
    [
      422,
      {},
      { detail: 'The input is wrong.', errors: [{ path: 'priority', message: 'must be high' }] },
      /The input is wrong\.\n {2}priority: must be high/,
    ],
    [
      429,
      { 'retry-after': '17' },
      { detail: 'Too Many Requests: slower.' },
      /slower\.\n {2}Try again in 17 s\./,
    ],
    [
      503,
      { 'retry-after': '2' },
      { detail: 'The database cannot be reached.' },
      /cannot be reached\.\n {2}Try again in 2 s\./,
    ],
    [500, {}, { detail: 'Something went wrong inside Belfry.' }, /Something went wrong inside Belfry/],
  ] as const) {
    it(`passes on what ${status} says, and what to do`, async () => {
      server.answer((_, res) => json(res, { status, ...problem }, status, headers));
      assert.match(await complaint(['get', 'x']), expected);
    });
  }

  it('does not take another program for Belfry', async () => {
    server.answer((_, res) => void res.writeHead(200, { 'content-type': 'text/html' }).end('<html>'));
    assert.match(await complaint(['list']), /answers, but not as Belfry does/);
    server.answer((_, res) => void res.writeHead(502).end('<html>Bad Gateway'));
    assert.match(await complaint(['list']), /answered with 502, and not in the words of Belfry/);
  });

  it('follows no redirect, for the token would go along', async () => {
    server.answer((_, res) => void res.writeHead(301, { location: 'https://belfry.example/x' }).end());
    assert.match(await complaint(['list']), /leads to https:\/\/belfry\.example\/x: set BELFRY_URL/);
    assert.equal(server.asked.length, 1);
  });

  it('takes from a link to the next page only the cursor', async () => {
    server.answer(({ query }, res) =>
      query.has('cursor')
        ? json(res, [])
        : json(res, [], 200, { link: '<http://elsewhere.invalid/?cursor=abc>; rel="next"' }),
    );
    assert.equal((await ask(['list', '--json'])).code, 0);
    assert.deepEqual(
      server.asked.map(({ query }) => query.get('cursor')),
      [null, 'abc'],
    );
    assert.ok(server.asked.every(({ authorization }) => authorization === `Bearer ${TOKEN}`));
  });

  it('gives up on a server that never answers', async () => {
    server.answer(() => undefined);
    const said = await complaint(['send', 'abebe', '-m', 'Hi', '-k', 'key-1']);
    assert.match(
      said,
      /did not answer within 15 s\.\n {2}It is not known whether it was accepted\. .*--idempotency-key key-1 is safe/,
    );
  });

  it('shows what would steer a terminal as what it is', async () => {
    const nasty = 'a\u001b[2J\u009b31m\r\nb\u202ec';
    server.answer((_, res) => json(res, [{ ...SUMMARY, event_type: nasty }]));
    const { stdout } = await ask(['list']);
    assert.ok(stdout.includes('a\\u001b[2J\\u009b31m\\u000d\\nb\\u202ec'), stdout);
    const answered = await ask(['list', '--json']);
    for (const letter of ['\u001b', '\u009b', '\u202e']) assert.ok(!answered.stdout.includes(letter));
    assert.equal(JSON.parse(answered.stdout)[0].event_type, nasty);
    server.answer((_, res) => json(res, { detail: `no ${nasty}` }, 404));
    assert.ok(!(await complaint(['get', 'x'])).includes('\u001b'));
  });

  it('keeps columns in line whatever is in them', async () => {
    const titles = ['ክፍያ ተፈጽሟል', 'payment', '支払い'];
    server.answer((_, res) =>
      json(
        res,
        titles.map((event_type) => ({ ...SUMMARY, event_type })),
      ),
    );
    const lines = (await ask(['list'])).stdout.trimEnd().split('\n').slice(1);
    // Each of the wide letters takes two columns.
    const ends = lines.map((line, n) => line.indexOf('realtime') + (n === 2 ? 3 : 0));
    assert.deepEqual(new Set(ends).size, 1, lines.join('\n'));
  });

  it('ends quietly when nobody reads on', async () => {
    server.answer((_, res) =>
      json(
        res,
        Array.from({ length: 200 }, () => SUMMARY),
        200,
        { link: '<?cursor=next>; rel="next"' },
      ),
    );
    const child = spawn('/bin/sh', ['-c', `"${process.execPath}" "${CLI}" list --all | head -n 1`], {
      cwd: tmpdir(),
      env: { PATH: process.env.PATH, BELFRY_URL: server.url, BELFRY_TOKEN: TOKEN },
      timeout: 30_000,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text) => (stdout += text));
    child.stderr.on('data', (text) => (stderr += text));
    assert.equal(await new Promise((resolve) => child.once('close', resolve)), 0);
    assert.deepEqual([stdout.trim().split('\n').length, stderr], [1, '']);
  });
});

const SUMMARY = {
  id: '01a214f5-b8d7-76e5-87eb-ab51bfa3a922',
  user_id: 'abebe',
  event_type: null,
  status: 'SENT',
  sent_at: null,
  created_at: '2027-03-01T09:00:00.000Z',
  priority: 'normal',
  channels: ['realtime'],
};
