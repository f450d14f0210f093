import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import { cliOf } from './run-cli.js';

const CONTEXT = ['property_title=Bole Garden', 'amount=12500'];

describe('belfry', () => {
  const fleet = useFleet({ engine: 'postgres' });
  const cli = () => cliOf(fleet());

  before(async () => {
    await fleet().person('abebe', { email: 'abebe@example.com', phone: '+251911000001', locale: 'am' });
  });

  it('send takes an event with its context as words, and answers with what the API said', async () => {
    const accepted = await cli().json(
      'send',
      'abebe',
      'payment_success',
      ...CONTEXT,
      'code:="007"',
      '-p',
      'high',
    );
    assert.equal(accepted.status, 'queued');
    const { body } = await fleet().call('GET', `/notifications/${accepted.notification_id}`);
    assert.deepEqual(body.context, { property_title: 'Bole Garden', amount: 12500, code: '007' });
    assert.equal(body.priority, 'high');
    assert.match(String(body.caller), /^cli:./);
  });

  it('send takes the context as JSON, a free message, channels and data', async () => {
    const json = await cli().json(
      'send',
      'abebe',
      'payment_success',
      '{"property_title": "Bole", "amount": 7}',
    );
    const first = await fleet().call('GET', `/notifications/${json.notification_id}`);
    assert.deepEqual(first.body.context, { property_title: 'Bole', amount: 7 });
    const free = await cli().json(
      'send',
      'abebe',
      '-t',
      'Water',
      '-m',
      'It is back.',
      '-c',
      'realtime,email',
      '--data',
      '{"a":1}',
    );
    const { body } = await fleet().call('GET', `/notifications/${free.notification_id}`);
    assert.deepEqual([body.title, body.message, body.data], ['Water', 'It is back.', { a: 1 }]);
    assert.deepEqual(body.channels, ['realtime', 'email']);
  });

  it('send with a key is done once', async () => {
    const send = () => cli().json('send', 'abebe', '-m', 'Once', '--idempotency-key', 'the-same');
    assert.equal((await send()).notification_id, (await send()).notification_id);
  });

  it('send --wait tells each step until the end, and get shows them again', async () => {
    const told = await cli().text('send', 'abebe', 'payment_success', ...CONTEXT, '--wait');
    const id = /accepted +(\S+)/.exec(told)?.[1] ?? '';
    assert.match(told, /^ +\d+\.\d\d s {2}email {6}sent {7}by smtp to a\*+e@example\.com$/m);
    assert.match(told, /push +skipped +\(no_device\)/);
    const shown = await cli().text('get', id);
    assert.match(shown, /^payment_success to abebe {2}SENT {2}normal\n/);
    assert.match(shown, /^ {3}0\.00 s {2}accepted {3}by cli:/m);
    assert.match(shown, /^ +\d+\.\d\d s {2}email {6}sent {7}by smtp to a\*+e@example\.com$/m);
  });

  it('send --wait --json gives the notification as it ended, get the same', async () => {
    const ended = await cli().json('send', 'abebe', '-m', 'Hello', '--wait');
    assert.equal(ended.status, 'SENT');
    const { body } = await fleet().call('GET', `/notifications/${ended.id}`);
    assert.deepEqual(ended, body);
    assert.deepEqual(await cli().json('get', String(ended.id)), body);
  });

  it('send --wait shows an attempt that failed, and ends with 1 when a delivery was given up', async () => {
    await fleet().person('gone', { email: 'gone@example.com' });
    const action = { kind: 'smtp', code: 550 } as const;
    await fleet().sandbox.fault({ channel: 'email', recipient: 'gone@example.com', action });
    const { code, stdout, stderr } = await cli().run('send', 'gone', '-m', 'Hello', '-c', 'email', '--wait');
    assert.equal(code, 1);
    assert.match(stdout, /email +rejected +attempt 1 by smtp: \S+/);
    assert.match(stdout, /email +dead/);
    assert.match(stderr, /not delivered on every channel/);
  });

  it('send --at is for later, cancel calls it off, and again is refused', async () => {
    const later = await cli().json('send', 'abebe', '-m', 'Later', '--at', '2h');
    assert.equal(later.status, 'scheduled');
    const { body } = await fleet().call('GET', `/notifications/${later.notification_id}`);
    const inMinutes = (new Date(String(body.send_at)).getTime() - Date.now()) / 60_000;
    assert.ok(inMinutes > 110 && inMinutes < 121, `${inMinutes} minutes`);
    assert.match(await cli().text('cancel', String(later.notification_id)), /^cancelled: \d deliver/);
    const again = await cli().run('cancel', String(later.notification_id));
    assert.deepEqual([again.code, again.stdout], [1, '']);
    assert.match(again.stderr, /Nothing of this notification is left to cancel/);
  });

  it('list follows the pages to the end, and one item is on each line', async () => {
    await fleet().person('many');
    const notifications = Array.from({ length: 450 }, (_, n) => ({ user_id: 'many', message: `Note ${n}` }));
    await fleet().call('POST', '/notifications/batch', { notifications });
    await fleet().untilSettled();
    const text = await cli().text('list', '--user', 'many', '--all', '--json');
    const listed: { id: string }[] = JSON.parse(text);
    assert.equal(listed.length, 450);
    assert.equal(new Set(listed.map(({ id }) => id)).size, 450);
    assert.equal(text.trim().split('\n').length, 452);
    const some = await cli().run('list', '--user', 'many', '--limit', '3');
    assert.equal(some.stdout.trim().split('\n').length, 4);
    assert.match(some.stderr, /There are more/);
  });

  it('list filters as the API does', async () => {
    for (const [args, query] of [
      [['--event', 'payment_success', '--priority', 'high'], 'event_type=payment_success&priority=high'],
      [['--status', 'cancelled'], 'status=CANCELLED'],
      [['--channel', 'email', '--from', '1h'], 'channel=email'],
      [['--to', '1h'], 'to=1970-01-01T00:00:00Z'],
    ] as const) {
      const { body } = await fleet().call('GET', `/notifications?limit=200&${query}`);
      assert.deepEqual(items(await cli().json('list', '--all', ...args)), items(body), query);
    }
  });

  it('explain sends nothing and names the rule of each channel', async () => {
    const explained = await cli().json('explain', 'abebe', 'payment_success', ...CONTEXT);
    assert.deepEqual(
      items(explained.decisions).map(({ channel }) => channel),
      ['realtime', 'email', 'sms', 'push', 'webhook'],
    );
    assert.match(await cli().text('explain', 'abebe', '-m', 'Hi'), /^push +not used +no_device +\S/m);
  });

  it('stats are those of the API, as JSON, as bars and by event', async () => {
    const { body } = await fleet().call('GET', '/notifications/stats');
    assert.deepEqual(await cli().json('stats'), body);
    const drawn = await cli().text('stats');
    assert.match(drawn, /^Total: +\|+ \d+$/m);
    assert.match(drawn, /^EVENT +SENT +FAILED +PENDING +CANCELLED$/m);
    assert.match(drawn, /^payment_success +\d+ +0 +0 +0$/m);
  });

  it('retry says how many are tried again', async () => {
    assert.deepEqual(await cli().json('retry'), { retried: 0 });
    assert.equal(await cli().text('retry'), '0 deliveries are tried again.\n');
  });

  it('writes nothing but the answer to stdout, in no colour', async () => {
    const { stdout, stderr } = await cli().run('list', '--json');
    assert.ok(Array.isArray(JSON.parse(stdout)));
    assert.match(stderr, /^(There are more.*\n)?$/);
    assert.ok(!(await cli().text('list')).includes('\u001b'));
  });
});
