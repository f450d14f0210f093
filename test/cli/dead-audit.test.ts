import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Answering, json, useAnswering } from './answering.js';
import { runCli } from './run-cli.js';

/** Answers as the API does, from a few dead letters and acts, two on a page. */
const api: Answering = ({ method, path, query, body }, res) => {
  if (method === 'POST' && path === '/api/v1/dead-letters/replay') {
    const { ids = [], rate = 50 } = JSON.parse(body);
    const skipped = ids.includes('unknown') ? [{ id: 'unknown', reason: 'not_found' }] : [];
    const replayed = ids.length === 0 ? DEAD.length : ids.length - skipped.length;
    const last_due_at = replayed > 0 ? '2027-03-01T09:00:00.000Z' : null;
    return json(res, { replayed, skipped, rate, last_due_at, more: false }, 202);
  }
  const all = path === '/api/v1/dead-letters' ? DEAD : path === '/api/v1/audit' ? ACTS : undefined;
  if (all === undefined) return json(res, { detail: 'nothing here' }, 404);
  const from = Number(query.get('cursor') ?? 0);
  const next = from + 2 < all.length ? { link: `<${path}?cursor=${from + 2}>; rel="next"` } : {};
  return json(res, all.slice(from, from + 2), 200, next);
};

const DEAD = [1, 2, 3].map((n) => ({
  id: `01a214f5-b8d7-76e5-87eb-00000000000${n}`,
  notification_id: `01a214f5-b8d7-76e5-87eb-10000000000${n}`,
  user_id: 'abebe',
  event_type: n === 1 ? null : 'payment_success',
  channel: 'email',
  priority: 'normal',
  to: 'a***e@example.com',
  class: n === 3 ? 'rejected' : 'exhausted',
  reason: null,
  provider: 'smtp',
  code: '550',
  error: 'No such\u001b[31m user',
  attempts: n,
  interruptions: 0,
  dead_at: '2027-03-01T09:00:00.000Z',
  created_at: '2027-03-01T08:59:00.000Z',
  retryable: n !== 3,
}));

const ACTS = [1, 2, 3].map((n) => ({
  id: `01a214f5-b8d7-76e5-87eb-20000000000${n}`,
  at: '2027-03-01T09:00:00.000Z',
  actor: 'cli:ops',
  role: 'admin',
  action: 'dead_letters.replay',
  target: `person:${n}`,
  details: { replayed: n },
}));

describe('belfry dead and audit', () => {
  const server = useAnswering();

  async function run(...args: readonly string[]) {
    server.answer(api);
    const ran = await runCli(args, { env: { BELFRY_URL: server.url, BELFRY_TOKEN: 'x' } });
    assert.equal(ran.code, 0, ran.stderr);
    return ran;
  }

  it('dead list gives every page, as JSON and as a table', async () => {
    assert.deepEqual(JSON.parse((await run('dead', 'list', '--json')).stdout), DEAD);
    const { stdout } = await run('dead', 'list');
    assert.equal(stdout.trim().split('\n').length, 4);
    assert.match(stdout, /exhausted +email +abebe +- +smtp 550 No such\\u001b\[31m user +01a214f5-/);
    assert.match(stdout, /rejected \(final\)/);
  });

  it('dead list asks for what its options choose', async () => {
    const options = [
      '--class',
      'exhausted',
      '--channel',
      'sms',
      '--provider',
      'twilio',
      '--event',
      'e',
      '--user',
      'u',
    ];
    await run(
      'dead',
      'list',
      ...options,
      '--search',
      'no such',
      '--limit',
      '1',
      '--from',
      '2027-01-01T00:00:00Z',
    );
    const [first] = server.asked;
    assert.deepEqual(Object.fromEntries(first?.query ?? []), {
      class: 'exhausted',
      channel: 'sms',
      provider: 'twilio',
      event_type: 'e',
      user_id: 'u',
      search: 'no such',
      from: '2027-01-01T00:00:00Z',
      limit: '2',
    });
    assert.equal(server.asked.length, 1);
  });

  it('dead replay sends ids or a filter, with a rate, and says what was left alone', async () => {
    const { stdout } = await run('dead', 'replay', 'one', 'two', 'unknown', '--rate', '5');
    assert.deepEqual(JSON.parse(server.asked[0]?.body ?? ''), { ids: ['one', 'two', 'unknown'], rate: 5 });
    assert.match(
      stdout,
      /^2 dead letters are sent again\.\nThe last one is due .*, at 5 a second\.\nleft alone: unknown \(not_found\)\n$/,
    );
    await run('dead', 'replay', '--class', 'exhausted', '--channel', 'email');
    assert.deepEqual(JSON.parse(server.asked[0]?.body ?? ''), {
      filter: { class: 'exhausted', channel: 'email' },
    });
    const all = await run('dead', 'replay', '--all', '--json');
    assert.deepEqual(JSON.parse(server.asked[0]?.body ?? ''), { filter: {} });
    assert.equal(JSON.parse(all.stdout).replayed, 3);
  });

  it('audit list gives every page, and asks for what its options choose', async () => {
    assert.deepEqual(JSON.parse((await run('audit', 'list', '--json')).stdout), ACTS);
    const { stdout } = await run(
      'audit',
      'list',
      '--actor',
      'cli:ops',
      '--action',
      'a',
      '--target',
      't',
      '--user',
      'u',
    );
    assert.match(stdout, /cli:ops +admin +dead_letters\.replay +person:1 +\{"replayed":1\}/);
    const asked = Object.fromEntries(server.asked[0]?.query ?? []);
    assert.deepEqual(asked, { actor: 'cli:ops', action: 'a', target: 't', user_id: 'u', limit: '51' });
  });
});
