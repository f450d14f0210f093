import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { openSocket, type StreamClient, untilHeard } from '../fleet/stream-clients.js';
import { alertOf, raiseAlert } from '../support/alerting.js';
import { useFleet } from '../support/fleet.js';

describe('on a WebSocket', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [], env: { RATE_LIMIT: '40/60s' } });
  before(() => fleet().person('p'));

  test('what is no message is answered with what is wrong, and the connection stays', async () => {
    const client = await openSocket(fleet(), { sub: 'p' });
    const wrong = [
      '',
      '{',
      'null',
      '[]',
      '7',
      '{}',
      '{"type":7}',
      '{"type":"write"}',
      '{"type":"read"}',
      '{"type":"read","id":7}',
      '{"type":"read","id":"x"}',
      '{"type":"acknowledge"}',
      '{"type":"resolve","alert":"x"}',
      '{"__proto__":{"type":"ping"}}',
      '{"type":"read","id":"01890000-0000-7000-8000-000000000000"}',
      '{"type":"acknowledge","alert":"01890000-0000-7000-8000-000000000000"}',
    ];
    for (const text of wrong) client.say(text);
    client.say({ type: 'ping' });
    await untilHeard(client, 'pong');
    assert.deepEqual(
      client.heard.map(({ type, code }) => `${type} ${code}`),
      [
        ...wrong.slice(0, 2).map(() => 'error invalid_json'),
        ...wrong.slice(2, -2).map(() => 'error invalid'),
        'error not_found',
        'error not_found',
        'pong undefined',
      ],
    );
    client.close();
  });

  test('whoever was told of an alert acknowledges and resolves it, and nobody else does', async () => {
    for (const id of ['boss', 'chief']) await fleet().person(id, { roles: ['admin'] });
    const { id } = await raiseAlert(fleet(), 'critical/disk');
    const [other, boss, chief] = [
      await openSocket(fleet(), { sub: 'p', role: 'admin' }),
      await openSocket(fleet(), { sub: 'boss' }),
      await openSocket(fleet(), { sub: 'chief' }),
    ];
    other.say({ type: 'acknowledge', alert: id });
    const refused = await untilHeard(other, 'error');
    assert.equal(refused.code, 'not_found');
    assert.equal(String((await alertOf(fleet(), id)).status), 'open');
    boss.say({ type: 'acknowledge', alert: id.toUpperCase() });
    const { acknowledged_at, ...first } = await untilHeard(boss, 'acknowledged');
    assert.deepEqual(first, {
      type: 'acknowledged',
      alert: id,
      status: 'acknowledged',
      acknowledged_by: 'boss',
    });
    chief.say({ type: 'acknowledge', alert: id });
    assert.deepEqual(await untilHeard(chief, 'acknowledged'), { ...first, acknowledged_at });
    chief.say({ type: 'resolve', alert: id });
    const { resolved_by, status } = await untilHeard(chief, 'resolved');
    assert.deepEqual([resolved_by, status], ['chief', 'resolved']);
    const shown = await alertOf(fleet(), id);
    assert.deepEqual([shown.acknowledged_via, shown.resolved_via].map(String), ['realtime', 'realtime']);
    for (const client of [other, boss, chief]) client.close();
  });

  const ends: readonly (readonly [string, number, (client: StreamClient) => unknown])[] = [
    ['a message over 64 KB', 1009, (client) => client.say(`"${'x'.repeat(64 * 1024)}"`)],
    [
      'a message over 64 KB in pieces',
      1009,
      (client) => {
        for (const fin of [false, true]) void client.frame('x'.repeat(40 * 1024), { fin });
      },
    ],
    ['something else than text', 1003, (client) => client.frame(Buffer.from('{"type":"ping"}'))],
    ['text that is not UTF-8', 1007, (client) => client.frame(Buffer.from([0xc3, 0x28]), { binary: false })],
    [
      'more messages than it can be told of',
      1008,
      (client) => {
        for (let n = 0; n < 2_000; n += 1)
          client.say({ type: 'read', id: `01890000-0000-7000-8000-${String(n).padStart(12, '0')}` });
      },
    ],
  ];
  for (const [what, code, act] of ends)
    test(`${what} ends the connection with ${code}`, async () => {
      const client = await openSocket(fleet(), { sub: 'p' });
      const other = await openSocket(fleet(), { sub: 'p' });
      act(client);
      assert.equal((await client.ended).code, code);
      other.say({ type: 'ping' });
      await untilHeard(other, 'pong');
      other.close();
    });

  test('a connection and what is marked as read on it count as calls', async () => {
    const client = await openSocket(fleet(), { sub: 'busy' });
    for (let n = 0; n < 45; n += 1) client.say({ type: 'read', id: '01890000-0000-7000-8000-000000000000' });
    await untilHeard(client, 'error');
    client.say({ type: 'ping' });
    await untilHeard(client, 'pong');
    const codes = client.heard.map(({ code }) => code);
    assert.equal(codes.filter((code) => code === 'rate_limited').length, 6);
    client.close();
    const again = await openSocket(fleet(), { sub: 'busy' });
    assert.equal((await again.ended).code, 429);
  });
});
