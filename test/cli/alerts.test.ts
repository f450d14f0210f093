import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import { cliOf } from './run-cli.js';

const NO_ID = '01a214f5-b8d7-76e5-87eb-000000000000';

describe('belfry alerts', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [] });
  const cli = () => cliOf(fleet());
  const ids: string[] = [];
  before(async () => {
    await fleet().person('boss', { email: 'boss@example.org', roles: ['admin'] });
    for (const [level, type, times] of [
      ['critical', 'disk_full', 2],
      ['warning', 'disk_slow', 1],
      ['critical', 'fire', 1],
    ] as const) {
      for (let n = 0; n < times; n += 1) {
        const body = { message: `It is ${type}.\u001b[31m`, dedup_key: type };
        const { body: raised } = await fleet().call('POST', `/notifications/alerts/${level}/${type}`, body);
        if (n === 0) ids.push(String(raised.alert_id));
      }
    }
  });

  it('lists them as JSON and as a table, and what its options choose', async () => {
    const { body } = await fleet().call('GET', '/alerts');
    assert.deepEqual(await cli().json('alerts', 'list'), body);
    const [head, ...rows] = (await cli().text('alerts', 'list')).trim().split('\n');
    assert.match(head ?? '', /^OPENED +LEVEL +STATUS +TYPE +CODE +BY +MESSAGE +ID$/);
    assert.match(
      rows[2] ?? '',
      /critical +open +disk_full +\d{4} +- +It is disk_full\.\S+ \(2 times\) +\S+$/,
    );
    assert.ok(!rows.join('').includes('\u001b'), 'no text steers the terminal');
    const typesOf = async (...options: readonly string[]) =>
      items(await cli().json('alerts', 'list', ...options)).map(({ type }) => type);
    assert.deepEqual(await typesOf('--level', 'critical'), ['fire', 'disk_full']);
    assert.deepEqual(await typesOf('--type', 'disk_slow'), ['disk_slow']);
    assert.deepEqual(await typesOf('--limit', '1'), ['fire']);
    const none = await cli().run('alerts', 'list', '--status', 'resolved');
    assert.deepEqual([none.code, none.stderr], [0, 'There is no such alert.\n']);
    assert.equal((await cli().run('alerts', 'list', '--level', 'loud')).code, 2);
  });

  it('takes one, which says who was first, and ends one', async () => {
    const [disk = ''] = ids;
    const taken = await cli().text('alerts', 'acknowledge', disk);
    assert.match(taken, /^disk_full is acknowledged, by cli:\S+ at \d{4}-\d\d-\d\d \S+\.\n$/);
    assert.equal(await cli().text('alerts', 'acknowledge', disk), taken);
    const ended = await cli().json('alerts', 'resolve', disk);
    assert.deepEqual([ended.id, ended.status, ended.resolved_via], [disk, 'resolved', 'api']);
    const unknown = await cli().run('alerts', 'resolve', NO_ID);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /Alert with ID .* not found/);
  });

  it('shows what happened to one', async () => {
    const [disk = '', , fire = ''] = ids;
    const { body } = await fleet().call('GET', `/alerts/${disk}`);
    assert.deepEqual(await cli().json('alerts', 'get', disk), body);
    const lines = (await cli().text('alerts', 'get', disk)).split('\n');
    assert.match(lines[0] ?? '', /^critical disk_full {2}resolved {2}\d{4}$/);
    for (const line of [
      / opened +by test/,
      / notified +boss +.*email \w+/,
      / repeated$/,
      / acknowledged +by cli:\S+ \(api\)/,
      / resolved /,
    ])
      assert.ok(
        lines.some((one) => line.test(one)),
        `${line} in\n${lines.join('\n')}`,
      );
    assert.match(
      await cli().text('alerts', 'get', fire),
      /escalation default: 0 of 3 steps taken, the next one in /,
    );
  });
});
