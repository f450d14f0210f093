import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OnCallLayer, OnCallOverride, OnCallSchedule } from '@belfry/shared/domain/on-call.js';
import { onCallAt, onCallSpans, turnsAt } from '@belfry/shared/domain/on-call-at.js';

const BERLIN: OnCallLayer = {
  name: 'first line',
  user_ids: ['ada', 'ben', 'cat'],
  turn: { every: 'day' },
  hand_off: '09:00',
  timezone: 'Europe/Berlin',
  starts_at: '2026-03-27T08:00:00Z',
  ends_at: null,
};
const alone = (layer: Partial<OnCallLayer>): OnCallSchedule => ({
  user_ids: [],
  layers: [{ ...BERLIN, ...layer }],
  overrides: [],
});
const at = (schedule: OnCallSchedule, time: string) => onCallAt(schedule, new Date(time)).user_ids.join(' ');
const short = (time: Date | null | undefined) => time?.toISOString().replace(':00.000Z', 'Z');

describe('a rotation', () => {
  for (const [claim, layer, moments] of [
    [
      'of days changes at the time of the hand-off, before and after summer time begins',
      {},
      {
        '2026-03-28T07:59:59.999Z': 'ada',
        '2026-03-28T08:00Z': 'ben',
        '2026-03-29T06:59Z': 'ben',
        '2026-03-29T07:00Z': 'cat',
      },
    ],
    [
      'of weeks changes on the day of the week on which it started',
      { turn: { every: 'week' } },
      {
        '2026-04-03T06:59Z': 'ada',
        '2026-04-03T07:00Z': 'ben',
        '2026-04-10T07:00Z': 'cat',
        '2026-04-17T07:00Z': 'ada',
      },
    ],
    [
      'of hours goes by time that has passed, whatever the clock does',
      { turn: { every: 'hours', hours: 12 }, hand_off: null, starts_at: '2026-03-28T08:00:00Z' },
      { '2026-03-28T19:59Z': 'ada', '2026-03-28T20:00Z': 'ben', '2026-03-29T08:00Z': 'cat' },
    ],
    [
      'of hours is counted from the time of the hand-off, if it has one',
      { turn: { every: 'hours', hours: 8 }, hand_off: '06:00', starts_at: '2026-03-27T20:00:00Z' },
      { '2026-03-27T20:59Z': 'ada', '2026-03-27T21:00Z': 'ben', '2026-03-28T05:00Z': 'cat' },
    ],
    [
      'changes with the clock when its time is skipped',
      { hand_off: '02:30' },
      {
        '2026-03-29T00:59Z': 'ben',
        '2026-03-29T01:00Z': 'cat',
        '2026-03-30T00:29Z': 'cat',
        '2026-03-30T00:30Z': 'ada',
      },
    ],
    [
      'changes once when its time comes twice, the first time',
      { hand_off: '02:30', starts_at: '2026-10-24T00:30:00Z' },
      {
        '2026-10-25T00:29Z': 'ada',
        '2026-10-25T00:30Z': 'ben',
        '2026-10-25T01:15Z': 'ben',
        '2026-10-25T01:30Z': 'ben',
        '2026-10-26T01:30Z': 'cat',
      },
    ],
    [
      'gives the first person the whole day on which it starts, and the time before its hand-off',
      { starts_at: '2026-03-26T23:00:00Z' },
      {
        '2026-03-26T22:59Z': '',
        '2026-03-26T23:00Z': 'ada',
        '2026-03-27T09:00Z': 'ada',
        '2026-03-28T08:00Z': 'ben',
      },
    ],
    [
      'gives the first person what is left of a day',
      { starts_at: '2026-03-27T21:00:00Z' },
      { '2026-03-27T21:00Z': 'ada', '2026-03-28T07:59Z': 'ada', '2026-03-28T08:00Z': 'ben' },
    ],
    [
      'has nobody before it starts and after it ends',
      { ends_at: '2026-03-28T12:00:00Z' },
      { '2026-03-27T07:59:59.999Z': '', '2026-03-28T11:59Z': 'ben', '2026-03-28T12:00Z': '' },
    ],
    [
      'knows a day that a country left out',
      { timezone: 'Pacific/Apia', hand_off: '09:00', starts_at: '2011-12-28T19:00:00Z' },
      { '2011-12-30T09:59Z': 'ben', '2011-12-30T10:00Z': 'cat', '2011-12-30T19:00Z': 'ada' },
    ],
  ] as const) {
    it(claim, () => {
      const found = Object.keys(moments).map((time) => [time, at(alone(layer), time)]);
      assert.deepEqual(Object.fromEntries(found), moments);
    });
  }

  it('tells since when and until when it is whose turn, and whose turn is next', () => {
    const told = (time: string, layer: Partial<OnCallLayer> = {}) => {
      const { now, next } = turnsAt({ ...BERLIN, ...layer }, new Date(time));
      return [now, next].map((turn) => turn && `${turn.user_id} ${short(turn.since)} ${short(turn.until)}`);
    };
    assert.deepEqual(told('2026-03-27T00:00Z'), [null, 'ada 2026-03-27T08:00Z 2026-03-28T08:00Z']);
    assert.deepEqual(told('2026-03-28T08:00Z'), [
      'ben 2026-03-28T08:00Z 2026-03-29T07:00Z',
      'cat 2026-03-29T07:00Z 2026-03-30T07:00Z',
    ]);
    const ends_at = '2026-03-28T12:00:00Z';
    assert.deepEqual(told('2026-03-27T12:00Z', { ends_at })[1], 'ben 2026-03-28T08:00Z 2026-03-28T12:00Z');
    assert.deepEqual(told('2026-03-28T09:00Z', { ends_at })[1], null);
    assert.deepEqual(told('2026-03-28T12:00Z', { ends_at }), [null, null]);
  });
});

describe('a schedule', () => {
  const override = (user_id: string, replaces: string | null, from: string, to: string): OnCallOverride => ({
    id: `${user_id} for ${replaces}`,
    user_id,
    replaces,
    starts_at: new Date(from),
    ends_at: new Date(to),
  });
  const schedule: OnCallSchedule = {
    user_ids: ['eve', 'ben'],
    layers: [BERLIN, { ...BERLIN, name: 'second line', user_ids: ['ben', 'cat', 'ada'] }],
    overrides: [],
  };

  it('has those who always are, then the layers in their order, each person once', () => {
    assert.equal(at(schedule, '2026-03-27T08:00Z'), 'eve ben ada');
    assert.equal(at(schedule, '2026-03-28T08:00Z'), 'eve ben cat');
    assert.equal(at(schedule, '2026-03-29T08:00Z'), 'eve ben cat ada');
    assert.equal(at({ ...schedule, layers: [] }, '2026-03-27T08:00Z'), 'eve ben');
    assert.equal(onCallAt({ ...schedule, layers: [] }, new Date()).until, null);
  });

  it('has somebody who stands in from the first moment to the last, in the place of whom they replace', () => {
    const overrides = [override('dan', 'eve', '2026-03-27T10:00Z', '2026-03-27T12:00Z')];
    const changed = { ...schedule, overrides };
    assert.equal(at(changed, '2026-03-27T09:59:59.999Z'), 'eve ben ada');
    assert.equal(at(changed, '2026-03-27T10:00Z'), 'dan ben ada');
    assert.equal(at(changed, '2026-03-27T11:59:59.999Z'), 'dan ben ada');
    assert.equal(at(changed, '2026-03-27T12:00Z'), 'eve ben ada');
    assert.equal(short(onCallAt(changed, new Date('2026-03-27T09:00Z')).until), '2026-03-27T10:00Z');
    assert.equal(short(onCallAt(changed, new Date('2026-03-27T12:00Z')).until), '2026-03-28T08:00Z');
  });

  it('has only who stands in for everybody, also where nobody is on call', () => {
    const [from, to] = ['2026-03-01T00:00Z', '2026-04-01T00:00Z'] as const;
    const overrides = [override('dan', null, from, to)];
    assert.equal(at({ ...schedule, overrides }, '2026-03-27T10:00Z'), 'dan');
    assert.equal(at({ ...alone({}), overrides }, '2026-03-02T10:00Z'), 'dan');
    assert.equal(
      at({ ...alone({}), overrides: [override('dan', 'ada', from, to)] }, '2026-03-02T10:00Z'),
      '',
    );
  });

  it('lets a later override find people as the earlier ones left them', () => {
    const [from, to] = ['2026-03-01T00:00Z', '2026-04-01T00:00Z'] as const;
    const first = override('dan', 'eve', from, to);
    const second = override('fay', 'dan', from, to);
    assert.equal(at({ ...schedule, overrides: [first, second] }, '2026-03-27T10:00Z'), 'fay ben ada');
    assert.equal(at({ ...schedule, overrides: [second, first] }, '2026-03-27T10:00Z'), 'dan ben ada');
    const all = override('gus', null, from, to);
    assert.equal(
      at({ ...schedule, overrides: [first, all, override('hal', 'gus', from, to)] }, '2026-03-27T10:00Z'),
      'hal',
    );
  });

  it('is shown as spans, each as long as the same people are on call', () => {
    const overrides = [override('dan', 'ben', '2026-03-28T20:00Z', '2026-03-29T20:00Z')];
    const spans = onCallSpans(
      { ...alone({ user_ids: ['ada', 'ben', 'ben'] }), overrides },
      new Date('2026-03-27T00:00Z'),
      new Date('2026-03-31T00:00Z'),
    );
    assert.deepEqual(
      spans.map(({ starts_at, ends_at, user_ids }) => [short(starts_at), short(ends_at), user_ids.join(' ')]),
      [
        ['2026-03-27T00:00Z', '2026-03-27T08:00Z', ''],
        ['2026-03-27T08:00Z', '2026-03-28T08:00Z', 'ada'],
        ['2026-03-28T08:00Z', '2026-03-28T20:00Z', 'ben'],
        ['2026-03-28T20:00Z', '2026-03-29T20:00Z', 'dan'],
        ['2026-03-29T20:00Z', '2026-03-30T07:00Z', 'ben'],
        ['2026-03-30T07:00Z', '2026-03-31T00:00Z', 'ada'],
      ],
    );
  });
});
