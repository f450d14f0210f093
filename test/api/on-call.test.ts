import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import { auditOf } from './audit-rows.js';
import { writesNothing } from './ledger-rows.js';
import { assertProblem } from './problem.js';

const MONDAYS = {
  name: 'weekly',
  user_ids: ['ada', 'ben', 'cat'],
  turn: { every: 'week' },
  hand_off: '09:00',
  timezone: 'Africa/Addis_Ababa',
  starts_at: '2027-01-04T06:00:00Z',
};

describe('on call', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [] });
  const call = (method: string, path: string, body?: unknown) => fleet().call(method, path, body);
  const put = (type: string, body: unknown) => call('PUT', `/on-call/${type}`, body);
  const at = async (type: string, time: string) =>
    (await call('GET', `/on-call/${type}?at=${encodeURIComponent(time)}`)).body;
  before(async () => {
    for (const id of ['ada', 'ben', 'cat']) await fleet().person(id);
    await fleet().person('dan', { active: false });
  });

  test('a fixed list is who is on call, as often as it is put', async () => {
    for (let time = 0; time < 2; time += 1) {
      const { status, body } = await put('disk_full', { user_ids: ['ben', 'ada', 'ben'] });
      assert.equal(status, 200);
      assert.deepEqual([body.user_ids, body.fixed, body.until], [['ben', 'ada'], ['ben', 'ada'], null]);
    }
    const { body } = await call('GET', '/on-call/disk_full');
    assert.deepEqual([body.alert_type, body.user_ids], ['disk_full', ['ben', 'ada']]);
    assert.ok(Math.abs(Date.parse(String(body.at)) - Date.now()) < 60_000);
  });

  test('what a put leaves out stays as it is, and an empty list is nobody', async () => {
    await put('partly', { user_ids: ['ada'], layers: [MONDAYS] });
    const list = await put('partly', { user_ids: [] });
    assert.deepEqual([list.body.fixed, items(list.body.layers).length], [[], 1]);
    const layers = await put('partly', { layers: [] });
    assert.deepEqual([layers.body.user_ids, layers.body.layers], [[], []]);
    assert.equal((await call('GET', '/on-call/partly')).status, 200);
  });

  test('turns are told for any moment, with whose it is and whose it will be', async () => {
    await put('turns', { user_ids: ['cat'], layers: [MONDAYS] });
    const before = await at('turns', '2027-01-04T05:59:59Z');
    assert.deepEqual([before.user_ids, before.until], [['cat'], '2027-01-04T06:00:00.000Z']);
    const first = await at('turns', '2027-01-11T08:59:59+03:00');
    assert.deepEqual(first.user_ids, ['cat', 'ada']);
    assert.deepEqual(items(first.layers), [
      {
        ...MONDAYS,
        starts_at: '2027-01-04T06:00:00.000Z',
        ends_at: null,
        now: { user_id: 'ada', since: '2027-01-04T06:00:00.000Z', until: '2027-01-11T06:00:00.000Z' },
        next: { user_id: 'ben', since: '2027-01-11T06:00:00.000Z', until: '2027-01-18T06:00:00.000Z' },
      },
    ]);
    assert.deepEqual((await at('turns', '2027-01-11T09:00:00+03:00')).user_ids, ['cat', 'ben']);
    assert.deepEqual(
      (await at('turns', '2047-01-07T12:00:00Z')).user_ids,
      ['cat', 'ada'],
      'in twenty years too',
    );
    assert.deepEqual((await at('turns', '1985-01-07T12:00:00Z')).user_ids, ['cat']);
  });

  test('turns of hours need no hand-off, and a layer of theirs can end', async () => {
    const hours = {
      ...MONDAYS,
      turn: { every: 'hours', hours: 12 },
      hand_off: undefined,
      ends_at: '2027-01-05T00:00:00Z',
    };
    const { body } = await put('hours', { layers: [hours] });
    const [layer] = items(body.layers);
    assert.deepEqual([layer?.turn, layer?.hand_off], [{ every: 'hours', hours: 12 }, null]);
    const times = ['2027-01-04T06:00:00Z', '2027-01-04T18:00:00Z', '2027-01-05T00:00:00Z'];
    const found = await Promise.all(times.map(async (time) => (await at('hours', time)).user_ids));
    assert.deepEqual(found, [['ada'], ['ben'], []]);
  });

  test('the answer to a put can be put again', async () => {
    const { body } = await put('again', { user_ids: ['ada'], layers: [MONDAYS] });
    const {
      updated_at: _,
      at: __,
      ...again
    } = (await put('again', { user_ids: body.fixed, layers: body.layers })).body;
    const { updated_at: ___, at: ____, ...first } = body;
    assert.deepEqual(again, first);
  });

  test('who is switched off is named: they are told nothing', async () => {
    const { body } = await put('inactive', { user_ids: ['dan', 'ada'] });
    assert.deepEqual([body.user_ids, body.inactive], [['dan', 'ada'], ['dan']]);
  });

  test('a calendar has spans without a gap, a week of them unless more is asked for', async () => {
    await put('calendar', { layers: [MONDAYS] });
    const calendar = async (query: string) => call('GET', `/on-call/calendar/calendar?${query}`);
    const week = (await calendar('from=2027-01-01T00:00:00Z')).body;
    assert.equal(week.to, '2027-01-08T00:00:00.000Z');
    assert.deepEqual(items(week.spans), [
      { starts_at: '2027-01-01T00:00:00.000Z', ends_at: '2027-01-04T06:00:00.000Z', user_ids: [] },
      { starts_at: '2027-01-04T06:00:00.000Z', ends_at: '2027-01-08T00:00:00.000Z', user_ids: ['ada'] },
    ]);
    const long = await calendar('from=2027-01-04T06:00:00Z&to=2027-04-06T06:00:00Z');
    assert.equal(items(long.body.spans).length, 14);
    assert.equal(items((await calendar('')).body.spans).length > 0, true);
    for (const [query, message] of [
      ['from=2027-01-04T06:00:00Z&to=2027-04-06T06:00:01Z', 'must be at most 92 days after from'],
      ['from=2027-01-04T06:00:00Z&to=2027-01-04T06:00:00Z', 'must be after from'],
    ] as const)
      assertProblem(await calendar(query), 422, { detail: `to: ${message}` });
  });

  test('the list has every type with who is on call now, page by page', async () => {
    await put('zz-last', { user_ids: ['ada'] });
    const all = items((await call('GET', '/on-call?limit=200')).body);
    const types = all.map(({ alert_type }) => String(alert_type));
    assert.deepEqual(types, types.toSorted());
    assert.deepEqual(all.find(({ alert_type }) => String(alert_type) === 'calendar')?.layers, ['weekly']);
    assert.deepEqual(all.at(-1)?.user_ids, ['ada']);
    const paged: string[] = [];
    for (let path: string | undefined = '/on-call?limit=2'; path !== undefined; ) {
      const page = await call('GET', path);
      paged.push(...items(page.body).map(({ alert_type }) => String(alert_type)));
      path = /^<\/api\/v1([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
    }
    assert.deepEqual(paged, types);
  });

  test('a type of which nothing was said, or nothing any more, is not there', async () => {
    await put('gone', { user_ids: ['ada'] });
    assert.equal((await call('DELETE', '/on-call/gone')).status, 204);
    const wanted = {
      code: 'unknown_on_call',
      detail: 'Nobody has said who is on call for alerts of type gone.',
    };
    for (const [method, path] of [
      ['GET', '/on-call/gone'],
      ['DELETE', '/on-call/gone'],
      ['GET', '/on-call/gone/calendar'],
      ['GET', '/on-call/gone/overrides'],
    ] as const)
      assertProblem(await call(method, path), 404, wanted);
  });

  test('every change is in the audit trail, without anybody’s id', async () => {
    await fleet().call('PUT', '/on-call/audited', { user_ids: ['ada'], layers: [MONDAYS] }, { sub: 'ada' });
    const [event] = await auditOf(fleet(), 'on_call.put');
    assert.equal(event?.target, 'on_call:audited');
    assert.deepEqual(event?.details, { created: true, people: 1, layers: 1 });
    assert.match(event?.actor ?? '', /^person:/, 'who puts themselves on call is the person they are');
    await call('DELETE', '/on-call/audited');
    assert.equal((await auditOf(fleet(), 'on_call.delete'))[0]?.target, 'on_call:audited');
  });

  test('people whom nobody knows are refused, all of them by name, with what to do', async () => {
    const layers = [MONDAYS, { ...MONDAYS, user_ids: ['ada', 'nobody'] }];
    const refused = await put('unknown', { user_ids: ['ada', 'no-one'], layers });
    assertProblem(refused, 422, {
      code: 'unknown_person',
      detail:
        'There is nobody with the id no-one, nobody: add them with PUT /api/v1/users/{id}, or leave them out.',
    });
    assert.deepEqual(refused.body.errors, [
      { path: 'user_ids', message: 'There is nobody with the id no-one.' },
      { path: 'layers.1.user_ids.1', message: 'There is nobody with the id nobody.' },
    ]);
    assertProblem(await call('GET', '/on-call/unknown'), 404);
  });

  test('what is wrong is refused by its name, and nothing is written', async () => {
    const layer = (change: object) => ({ layers: [{ ...MONDAYS, ...change }] });
    const wrong: readonly (readonly [body: unknown, path: string, message: RegExp])[] = [
      [{}, '', /^must have user_ids, layers or both$/],
      [{ user_ids: 'ada' }, 'user_ids', /^must be an array$/],
      [{ user_ids: ['a b'] }, 'user_ids.0', /letters, digits/],
      [
        { user_ids: Array.from({ length: 51 }, (_, n) => `p${n}`) },
        'user_ids',
        /^must have at most 50 people$/,
      ],
      [{ layers: Array.from({ length: 11 }, () => MONDAYS) }, 'layers', /^must have at most 10 layers$/],
      [layer({ user_ids: [] }), 'layers.0.user_ids', /^must name at least one person$/],
      [layer({ name: '' }), 'layers.0.name', /^must not be empty$/],
      [layer({ timezone: 'Mars/Olympus' }), 'layers.0.timezone', /^must be an IANA time zone/],
      [layer({ timezone: '+03:00' }), 'layers.0.timezone', /^must be an IANA time zone/],
      [layer({ hand_off: '9:00' }), 'layers.0.hand_off', /^must be a time of the day/],
      [layer({ hand_off: '24:00' }), 'layers.0.hand_off', /^must be a time of the day/],
      [layer({ hand_off: null }), 'layers.0.hand_off', /^is required for turns of a day or a week$/],
      [layer({ turn: { every: 'month' } }), 'layers.0.turn.every', /^must be one of day, week, hours$/],
      [layer({ turn: { every: 'hours' } }), 'layers.0.turn.hours', /^is required for turns of hours$/],
      [layer({ turn: { every: 'day', hours: 2 } }), 'layers.0.turn.hours', /^is only for turns of hours$/],
      [layer({ turn: { every: 'hours', hours: 0 } }), 'layers.0.turn.hours', /^must be at least 1$/],
      [layer({ turn: { every: 'hours', hours: 1.5 } }), 'layers.0.turn.hours', /^must be a whole number$/],
      [layer({ turn: undefined }), 'layers.0.turn', /^is required$/],
      [layer({ starts_at: '2027-01-04' }), 'layers.0.starts_at', /^must be a time: ISO 8601/],
      [layer({ starts_at: undefined }), 'layers.0.starts_at', /is required|must be a time/],
      [layer({ ends_at: MONDAYS.starts_at }), 'layers.0.ends_at', /^must be after starts_at$/],
    ];
    await writesNothing(fleet(), async () => {
      for (const [body, path, message] of wrong) {
        const refused = await put('wrong', body);
        assertProblem(refused, 422, { path });
        const [error] = items(refused.body.errors).filter((one) => String(one.path) === path);
        assert.match(String(error?.message), message, JSON.stringify(body));
      }
      assertProblem(await put('no%20spaces', { user_ids: [] }), 422, { path: 'alert_type' });
      assertProblem(await call('GET', '/on-call/disk_full?at=yesterday'), 422, { path: 'at' });
      assertProblem(await call('GET', '/on-call/disk_full?at=999999999999'), 422, { path: 'at' });
    });
    assertProblem(await call('GET', '/on-call/wrong'), 404);
  });
});
