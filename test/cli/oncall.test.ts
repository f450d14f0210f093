import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { cliOf } from './run-cli.js';

const LAYER = {
  name: 'first line',
  turn: { every: 'day' },
  hand_off: '09:00',
  timezone: 'Africa/Addis_Ababa',
  starts_at: '2026-11-23T06:00:00Z',
};

describe('belfry oncall', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [] });
  const cli = () => cliOf(fleet());
  before(async () => {
    for (const id of ['abebe', 'sara']) await fleet().person(id);
    await fleet().call('PUT', '/on-call/disk_full', { layers: [{ ...LAYER, user_ids: ['abebe', 'sara'] }] });
    await fleet().call('PUT', '/on-call/fire', { user_ids: ['sara', 'abebe'] });
    await fleet().call('PUT', '/on-call/quiet', { user_ids: [] });
  });

  it('shows who is on call now for every type, as JSON and as a table', async () => {
    const { body } = await fleet().call('GET', '/on-call');
    const without = (list: unknown) => JSON.stringify(list).replace(/"at":"[^"]+"/g, '');
    assert.equal(without(await cli().json('oncall')), without(body));
    const [head, , ...rows] = (await cli().text('oncall')).trim().split('\n');
    assert.match(head ?? '', /^TYPE +ON CALL +UNTIL +LAYERS$/);
    assert.deepEqual(
      rows.map((row) => row.split(/ {2,}/)),
      [
        ['fire', 'sara, abebe', '-', '-'],
        ['quiet', 'nobody', '-', '-'],
      ],
    );
  });

  it('shows the turns of one type, at any moment', async () => {
    const at = ['--at', '2026-11-24T06:00:00Z'];
    const { body } = await fleet().call('GET', '/on-call/disk_full?at=2026-11-24T06:00:00Z');
    assert.deepEqual(await cli().json('oncall', 'disk_full', ...at), body);
    const lines = (await cli().text('oncall', 'disk_full', ...at)).trim().split('\n');
    assert.match(lines[0] ?? '', /^sara, until 2026-11-25 /);
    assert.match(lines[3] ?? '', /^first line +sara +2026-11-25 \S+ +abebe$/);
    assert.equal((await cli().text('oncall', 'fire')).trim(), 'sara, abebe');
    const unknown = await cli().run('oncall', 'disk_fill');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /Nobody has said who is on call for alerts of type disk_fill/);
  });
});
