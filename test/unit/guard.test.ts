import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Claimed } from '@belfry/shared/ledger/claim.js';
import { objectionTo } from '@belfry/shared/routing/guard.js';

const NOW = new Date('2026-11-25T23:30:00Z');
const RULES = {
  poisonAfter: 10,
  mandatory: (event: string | null) => (event === 'lease_ends' ? (['sms'] as const) : []),
};
const PERSON = {
  locale: 'en',
  timezone: 'UTC',
  active: true,
  preferences: { sms: true },
  eventPreferences: { payment_success: { sms: false }, lease_ends: { sms: false } },
  quietHours: null,
};
const CLAIM: Claimed = {
  kind: 'claimed',
  deliveryId: 'd',
  notificationId: 'n',
  channel: 'sms',
  priority: 'high',
  address: '+251911000003',
  was: 'queued',
  claim: 1,
  attempts: 0,
  round: 1,
  interruptions: 0,
  inDoubt: false,
  heldMs: 0,
  recalled: false,
  expired: false,
  calledOff: false,
  expiresAt: null,
  claimedAt: NOW,
  firstAttemptAt: NOW,
  createdAt: NOW,
  notification: {
    personId: 'sara',
    eventType: null,
    type: 'info',
    title: 'Hello',
    message: 'Hello',
    html: null,
    context: {},
    data: {},
    createdAt: NOW,
    ageMs: 0,
    traceparent: null,
    digest: false,
    alert: null,
  },
  person: PERSON,
  device: null,
  suppressed: null,
};
const about = (eventType: string) => ({ notification: { ...CLAIM.notification, eventType } });
const ASLEEP = { ...PERSON, quietHours: { from: '22:00', to: '07:00' } };
const BARE = { notification: { ...CLAIM.notification, personId: null }, person: null } as const;

describe('the guard before a send', () => {
  for (const [claim, change, objection] of [
    ['a delivery that nothing stands against', {}, null],
    ['a message to a bare address', BARE, null],
    ['one that comes too late', { expired: true }, 'expired expired'],
    [
      'one that comes too late and is suppressed',
      { expired: true, suppressed: 'bounced' },
      'expired expired',
    ],
    ['one whose broadcast was cancelled', { calledOff: true }, 'cancelled broadcast_cancelled'],
    ['an address that was erased', { address: '', person: null }, 'suppressed person_erased'],
    ['an address that the person has no more', { address: '' }, 'suppressed no_address'],
    ['a bare address that was erased', { ...BARE, address: '' }, 'suppressed person_erased'],
    ['an address that opted out', { suppressed: 'twilio-21610' }, 'suppressed twilio-21610'],
    ['a bare address that opted out', { ...BARE, suppressed: 'bounced' }, 'suppressed bounced'],
    ['one that lost 9 workers', { interruptions: 9 }, null],
    ['one that lost 10 workers', { interruptions: 10 }, 'dead lost_too_many_workers'],
    ['a person who is gone', { person: null }, 'suppressed person_erased'],
    ['a person who left', { person: { ...PERSON, active: false } }, 'suppressed person_inactive'],
    ['a channel switched off since', { person: { ...PERSON, preferences: {} } }, 'suppressed preference_off'],
    [
      'several alerts on a channel switched off since',
      {
        person: { ...PERSON, preferences: {} },
        notification: { ...CLAIM.notification, eventType: null, digest: true },
      },
      null,
    ],
    ['an event switched off since', about('payment_success'), 'suppressed event_preference_off'],
    ['an event that nobody can switch off', about('lease_ends'), null],
    ['a person who sleeps', { person: ASLEEP }, 'scheduled quiet_hours 27000000'],
    ['a critical one to a person who sleeps', { person: ASLEEP, priority: 'critical' }, null],
    [
      'a person who sleeps elsewhere',
      { person: { ...ASLEEP, timezone: 'Africa/Addis_Ababa' } },
      'scheduled quiet_hours 16200000',
    ],
    ['a person who is awake elsewhere', { person: { ...ASLEEP, timezone: 'Asia/Tokyo' } }, null],
    [
      'one that nobody can switch off to a person who sleeps',
      { person: ASLEEP, ...about('lease_ends') },
      'scheduled quiet_hours 27000000',
    ],
    [
      'one that is too late when the person is up',
      { person: ASLEEP, expiresAt: new Date('2026-11-26T07:00:00Z') },
      'expired expires_in_quiet_hours',
    ],
    [
      'one that is in time when the person is up',
      { person: ASLEEP, expiresAt: new Date('2026-11-26T07:00:01Z') },
      'scheduled quiet_hours 27000000',
    ],
    ['a device that is the person’s no more', { channel: 'push' }, 'suppressed device_gone'],
    ['a device that is theirs', { channel: 'push', device: { platform: 'ios', keys: null } }, null],
  ] as const) {
    it(`${objection === null ? 'lets pass' : 'stops'} ${claim}${objection === null ? '' : `: ${objection}`}`, () => {
      const found = objectionTo({ ...CLAIM, ...change }, RULES);
      const said = found === null ? [] : [found.state, found.reason, found.dueInMs ?? ''];
      assert.equal(said.join(' ').trim() || null, objection);
    });
  }
});
