import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CHANNELS, PRIORITIES } from '@belfry/shared/domain/channel.js';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import { type Answer, ask, items } from '../support/http.js';
import { waitFor } from '../support/wait.js';
import { BOARD } from './board-visit.js';
import { NO_ID } from './calls.js';
import { assertProblem } from './problem.js';

forEachEngine((engine) => {
  const fleet = useFleet({ engine, workers: [] });

  async function visit(path: string, authorization?: string, method = 'GET', headers = {}) {
    const own = authorization === undefined ? {} : { authorization };
    return ask(method, `${fleet().api.url}${path}`, undefined, { ...own, ...headers });
  }
  const bearer = async (role: string) => `Bearer ${await fleet().token(role, 'visitor')}`;
  const basic = async (role: string) =>
    `Basic ${Buffer.from(`anybody:${await fleet().token(role)}`).toString('base64')}`;

  test('whoever is not signed in gets the page to do so, and a program a problem', async () => {
    for (const [path, headers] of [
      ['', {}],
      ['/', { accept: 'text/html,*/*;q=0.8' }],
      ['/queue/email.low?status=failed', {}],
      ['/no/such/page', {}],
    ] as const) {
      const answer = await visit(BOARD + path, undefined, 'GET', headers);
      assert.equal(answer.status, 401, path);
      assert.match(answer.text, /<input id="secret" name="password" type="password"/);
      assert.match(answer.headers.get('content-type') ?? '', /^text\/html/);
      assert.equal(answer.headers.get('cache-control'), 'no-store');
    }
    for (const credentials of ['Bearer ', 'Bearer x.y.z', 'bearer 1'])
      assertProblem(await visit(BOARD, credentials), 401);
    assertProblem(await visit(BOARD, undefined, 'GET', { accept: 'application/json' }), 401);
    for (const credentials of ['Basic !', 'Basic OnB3', 'Digest x'])
      assert.equal((await visit(BOARD, credentials)).status, 401);
  });

  test('no page of the board may be framed, run a script of its own or send a form elsewhere', async () => {
    for (const answer of [await visit(BOARD), await visit(BOARD, await bearer('Admin'))]) {
      const policy = answer.headers.get('content-security-policy') ?? '';
      assert.match(policy, /script-src 'self'(;|$)/);
      assert.match(policy, /style-src 'self' 'sha256-[^']+'(;|$)/);
      assert.match(policy, /default-src 'none'.*form-action 'self'.*frame-ancestors 'none'/);
      assert.doesNotMatch(policy, /unsafe/);
      assert.equal(answer.headers.get('x-frame-options'), 'DENY');
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      assert.doesNotMatch(answer.text, /https?:\/\/|<style|style="|<script>/);
    }
  });

  test('the board refuses good tokens of anybody but administrators', async () => {
    for (const role of ['User', 'Internal', 'somebody']) {
      assert.equal((await visit(BOARD, await bearer(role))).status, 403, role);
      assert.equal((await visit(BOARD, await basic(role))).status, 403, role);
    }
  });

  test('the board opens for an Admin token, as a Bearer and as the password of Basic', async () => {
    for (const credentials of [await bearer('Admin'), await basic('aDMIN')]) {
      const page = await visit(BOARD, credentials);
      assert.equal(page.status, 200);
      assert.match(page.text, /<title>Belfry<\/title>/);
      assert.match(page.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/);
    }
  });

  test('what the board is made of needs the token as well', async () => {
    const page = await visit(BOARD, await bearer('Admin'));
    const assets = [...page.text.matchAll(/(?:src|href)="([^"]*static\/[^"]+)"/g)].map(([, path]) => path);
    assert.ok(assets.length > 1, page.text);
    for (const asset of assets) {
      const path = new URL(asset ?? '', `${fleet().api.url}${BOARD}/`).pathname;
      assert.equal((await visit(path)).status, 401, path);
      assert.equal((await visit(path, await bearer('User'))).status, 403, path);
      assert.equal((await visit(path, await bearer('Admin'))).status, 200, path);
    }
    for (const path of ['/api/queues', '/api/redis/stats', '/queue/email.low', '/no/such/page'])
      assert.equal((await visit(BOARD + path)).status, 401, path);
    assert.equal((await visit('/ADMIN/Queues/api/queues')).status, 404, 'there is no other way to it');
  });

  test('a viewer sees the same queues, and may not change them', async () => {
    const viewer = await bearer('Viewer');
    const queues = items((await visit(`${BOARD}/api/queues`, viewer)).body.queues);
    assert.equal(queues.length, CHANNELS.length * PRIORITIES.length + 2);
    assert.ok(queues.every((queue) => String(queue.readOnlyMode) === 'true'));
    for (const act of ['pause', 'email.low/pause', 'email.low/retry/failed', 'email.low/nothing']) {
      const answer = await visit(`${BOARD}/api/queues/${act}`, viewer, 'PUT', { origin: fleet().api.url });
      assertBoardProblem(answer, 403);
    }
  });

  test('the board lists a queue for every channel and priority, and broadcasts and escalations, which are only shown', async () => {
    const answer = await visit(`${BOARD}/api/queues`, await bearer('Admin'));
    assert.equal(answer.status, 200, answer.text);
    const names = items(answer.body.queues).map((queue) => String(queue.name));
    const wanted = CHANNELS.flatMap((channel) => PRIORITIES.map((priority) => `${channel}.${priority}`));
    assert.deepEqual(names.sort(), [...wanted, 'fanout', 'escalation'].sort());
    const shown = items(answer.body.queues).filter((queue) => String(queue.readOnlyMode) === 'true');
    assert.deepEqual(
      shown.map(({ name }) => String(name)),
      ['fanout', 'escalation'],
    );
    const pressed = { origin: fleet().api.url };
    for (const queue of ['fanout', 'escalation'])
      for (const act of ['pause', 'retry/failed', 'clean/failed', `${NO_ID}-1/promote`, `${NO_ID}-1/clean`])
        assertBoardProblem(
          await visit(`${BOARD}/api/queues/${queue}/${act}`, await bearer('Admin'), 'PUT', pressed),
          404,
        );
  });

  test('a notification has its jobs on the board as soon as it is accepted, by an API that made the schema itself', async () => {
    await fleet().person('board', { email: 'board@example.org' });
    await fleet().send({ user_id: 'board', message: 'hello', priority: 'high' });
    await fleet().send({ user_id: 'board', message: 'later', send_at: Date.now() / 1000 + 3600 });
    assert.deepEqual(
      await waitForJobs(3),
      { 'realtime.high waiting': 1, 'email.high waiting': 1, 'realtime.normal delayed': 1 },
      fleet().logs().join('\n'),
    );
  });

  async function waitForJobs(count: number): Promise<Record<string, number>> {
    let jobs: Record<string, number> = {};
    await waitFor(
      async () => {
        const answer = await visit(`${BOARD}/api/queues`, await bearer('Admin'));
        jobs = Object.fromEntries(
          items(answer.body.queues).flatMap((queue) =>
            ['waiting', 'delayed', 'failed']
              .map((state): [string, number] => [`${queue.name} ${state}`, Number(queue.counts?.[state])])
              .filter(([, number]) => number > 0),
          ),
        );
        return Object.values(jobs).reduce((sum, number) => sum + number, 0) >= count;
      },
      { what: 'jobs on the board' },
    ).catch(() => undefined);
    return jobs;
  }

  test('a request that changes something is refused unless it comes from the board itself', async () => {
    const admin = await basic('Admin');
    const pause = `${BOARD}/api/queues/email.low/pause`;
    const { host } = new URL(fleet().api.url);
    const foreign = [
      {},
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `http://${host}.evil.example` },
      { origin: `http://evil.example/?http://${host}` },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'same-origin', origin: 'http://127.0.0.1:1' },
    ];
    for (const headers of foreign)
      assert.equal((await visit(pause, admin, 'PUT', headers)).status, 403, JSON.stringify(headers));
    const queue = (name: string, queues: ReturnType<typeof items>) =>
      queues.find((one) => String(one.name) === name);
    const listed = async () => items((await visit(`${BOARD}/api/queues`, admin)).body.queues);
    assert.equal(queue('email.low', await listed())?.isPaused, false);
    assert.equal((await visit(pause, admin, 'PUT', { origin: fleet().api.url })).status, 200);
    assert.equal(queue('email.low', await listed())?.isPaused, true);
    const resume = pause.replace('pause', 'resume');
    assert.equal((await visit(resume, admin, 'PUT', { origin: fleet().api.url })).status, 200);
    assert.equal((await visit(resume, undefined, 'PUT', { origin: fleet().api.url })).status, 401);
  });
});

describe('while Redis is down', () => {
  const fleet = useFleet({ engine: 'redis', workers: [] });

  test('the board says so instead of waiting, to administrators only, and opens again afterwards', async () => {
    const authorization = `Bearer ${await fleet().token('admin')}`;
    const visit = (path: string, headers = { authorization }) =>
      ask('GET', fleet().api.url + BOARD + path, undefined, headers, 8_000);
    assert.equal((await visit('/api/queues')).status, 200);
    await fleet().redis?.kill();
    for (const path of ['', '/api/queues']) {
      const answer = await visit(path);
      assert.equal(answer.status, 503);
      assert.equal(answer.body.detail, 'The queue engine cannot be reached.');
      assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]/);
    }
    assert.equal((await ask('GET', fleet().api.url + BOARD)).status, 401);
    await fleet().redis?.restart();
    await waitFor(async () => (await visit('/api/queues')).status === 200, { timeoutMs: 20_000 });
  });
});

/** A problem document with the two fields that the board's page shows. */
function assertBoardProblem(answer: Answer, status: number): void {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
  assert.equal(answer.body.error, answer.body.title);
  assert.equal(answer.body.message, answer.body.detail);
}
