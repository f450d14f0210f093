import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import { cookieOf, signIn } from './board-visit.js';
import { assertProblem } from './problem.js';

const JSON_PLEASE = { accept: 'application/json' };

forEachEngine((engine) => {
  const fleet = useFleet({ engine, workers: [], api: 2 });

  test('wrong sign-ins are limited over all API processes, right ones do not count, whatever address is claimed', async () => {
    const [one, two] = fleet().apis;
    assert.ok(one !== undefined && two !== undefined);
    for (let n = 0; n < 12; n += 1)
      assert.equal((await signIn(one.url, await fleet().token('admin'))).status, 303);
    for (let n = 0; n < 10; n += 1) {
      const headers = {
        ...JSON_PLEASE,
        'x-forwarded-for': `203.0.113.${n}`,
        forwarded: `for=203.0.113.${n}`,
      };
      assertProblem(await signIn(n % 2 === 0 ? one.url : two.url, 'guess', headers), 401);
    }
    for (const { url } of [one, two]) {
      assertProblem(await signIn(url, 'guess', JSON_PLEASE), 429);
      const right = await signIn(url, await fleet().token('admin'));
      assert.equal(right.status, 429);
      assert.match(right.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
      assert.equal(cookieOf(right), '');
    }
    const { rows } = await fleet().database.query(
      "SELECT count(*)::int AS count FROM audit_event WHERE action = 'board.sign_in_refused'",
    );
    assert.equal(rows[0]?.count, 10);
  });
});

describe('while Redis is down', () => {
  const fleet = useFleet({ engine: 'redis', workers: [] });

  test('each process allows only a few wrong sign-ins by itself', async () => {
    await fleet().redis?.kill();
    for (let n = 0; n < 3; n += 1) assertProblem(await signIn(fleet().api.url, 'guess', JSON_PLEASE), 401);
    assertProblem(await signIn(fleet().api.url, 'guess', JSON_PLEASE), 429);
    await fleet().redis?.restart();
  });
});
