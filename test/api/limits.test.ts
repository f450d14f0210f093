import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { type CallOptions, useFleet } from '../support/fleet.js';
import { type Answer, items } from '../support/http.js';
import { rowsIn } from './ledger-rows.js';
import { assertProblem } from './problem.js';

forEachEngine((engine) => {
  describe('the limit of one caller to one person', () => {
    const fleet = useFleet({ engine, workers: [], api: 2, env: { RATE_LIMIT_SEND: '10/60s' } });
    before(async () => {
      for (const id of ['ada', 'ben', 'cleo', 'dan', 'eve', 'fay']) await fleet().person(id);
    });
    const send = (user_id: string, options: CallOptions = {}) =>
      fleet().call('POST', '/notifications/send', { user_id, message: 'x' }, options);
    const parallel = (count: number, work: (index: number) => Promise<Answer>) =>
      Promise.all(Array.from({ length: count }, (_, index) => work(index)));

    test('of fifteen calls at once exactly ten are accepted and five get 429', async () => {
      const before = await rowsIn(fleet());
      const answers = await parallel(15, () => send('ada'));
      assert.deepEqual(tally(answers), { 202: 10, 429: 5 });
      for (const answer of answers.filter(({ status }) => status === 429)) {
        assertProblem(answer, 429, { code: 'rate_limited' });
        assert.ok(Number(answer.headers.get('retry-after')) <= 60);
      }
      assert.equal((await rowsIn(fleet())).notification - before.notification, 10);
    });

    test('it counts over all API processes', async () => {
      const answers = await parallel(30, (index) => send('ben', { api: index % 2 }));
      assert.deepEqual(tally(answers), { 202: 10, 429: 20 });
    });

    test('it goes by the subject of the token, not by what headers claim', async () => {
      const answers = await parallel(15, (index) =>
        send('cleo', {
          headers: {
            'x-forwarded-for': `10.0.0.${index}`,
            'x-real-ip': `10.0.1.${index}`,
            forwarded: `for=10.0.2.${index}`,
          },
        }),
      );
      assert.deepEqual(tally(answers), { 202: 10, 429: 5 });
      assert.equal((await send('cleo', { as: 'internal' })).status, 429, 'the same subject in another role');
      const other = await parallel(3, () => send('cleo', { sub: 'another' }));
      assert.deepEqual(tally(other), { 202: 3 }, 'another caller has a limit of their own');
    });

    test('each person has its own', async () => {
      assert.deepEqual(tally(await parallel(10, () => send('dan'))), { 202: 10 });
      assert.deepEqual(tally(await parallel(10, () => send('eve'))), { 202: 10 });
    });

    test('a bare address is no person: only the limit of calls counts', async () => {
      const mail = () =>
        fleet().call('POST', '/notifications/email/send', { to: 'box@example.org', subject: 's', body: 'b' });
      const sms = () =>
        fleet().call('POST', '/notifications/sms/send', { phone: '+251911000001', message: 'x' });
      assert.deepEqual(tally(await parallel(12, mail)), { 202: 12 });
      assert.deepEqual(tally(await parallel(12, sms)), { 202: 12 });
    });

    test('a batch is no way around it', async () => {
      const notifications = Array(15).fill({ user_id: 'fay', message: 'x' });
      const answer = await fleet().call('POST', '/notifications/batch', { notifications });
      assert.equal(answer.status, 207);
      const statuses = items(answer.body.results).map(({ status }) => Number(status));
      assert.deepEqual(
        [
          statuses.filter((status) => status === 202).length,
          statuses.filter((status) => status === 429).length,
        ],
        [10, 5],
      );
    });

    test('looking, explaining and repeating a call cost nothing of it', async () => {
      const key = { 'idempotency-key': 'limits' };
      await fleet().person('gil');
      for (let index = 0; index < 15; index += 1) {
        assert.equal((await send('gil', { headers: key })).status, 202);
        const explain = await fleet().call('POST', '/notifications/explain', {
          user_id: 'gil',
          message: 'x',
        });
        assert.equal(explain.status, 200);
      }
      assert.deepEqual(tally(await parallel(10, () => send('gil'))), { 202: 9, 429: 1 });
    });
  });

  describe('the limit of a caller', () => {
    const fleet = useFleet({ engine, workers: [], api: 2, env: { RATE_LIMIT: '20/60s' } });
    const look = (options: CallOptions) => fleet().call('GET', '/notifications', undefined, options);

    test('is exact over all processes and paths, and everybody has their own', async () => {
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, index) =>
          index % 3 === 0
            ? fleet().call('GET', '/users', undefined, { sub: 'busy', api: index % 2 })
            : look({ sub: 'busy', api: index % 2, headers: { 'x-forwarded-for': `10.0.0.${index}` } }),
        ),
      );
      assert.deepEqual(tally(answers), { 200: 20, 429: 10 });
      for (const answer of answers.filter(({ status }) => status === 429)) assertProblem(answer, 429);
      assert.equal((await look({ sub: 'quiet' })).status, 200);
    });

    test('calls that are refused count too, and bad tokens are counted for nobody', async () => {
      const refused = await Promise.all(
        Array.from({ length: 21 }, () => fleet().call('GET', '/nowhere', undefined, { sub: 'lost' })),
      );
      assert.deepEqual(tally(refused), { 404: 20, 429: 1 });
      for (let index = 0; index < 25; index += 1) assertProblem(await look({ as: null }), 401);
    });

    test('asking how the process is, is not limited', async () => {
      const pages = await Promise.all(
        Array.from({ length: 40 }, () => fleet().page('/health', { sub: 'busy' })),
      );
      assert.deepEqual(tally(pages), { 200: 40 });
    });
  });
});

describe('without limits', () => {
  const fleet = useFleet({
    engine: 'postgres',
    workers: [],
    env: { RATE_LIMIT: 'off', RATE_LIMIT_SEND: 'off' },
  });

  test('off means that nobody is ever told to wait', async () => {
    await fleet().person('ada');
    const answers = await Promise.all(
      Array.from({ length: 60 }, () =>
        fleet().call('POST', '/notifications/send', { user_id: 'ada', message: 'x' }),
      ),
    );
    assert.deepEqual(tally(answers), { 202: 60 });
    const { rows } = await fleet().database.query('SELECT count(*)::int AS count FROM rate_limit');
    assert.equal(rows[0]?.count, 0);
  });
});

function tally(answers: readonly Answer[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
