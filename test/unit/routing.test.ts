import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CHANNELS, type Channel, PRIORITIES } from '@belfry/shared/domain/channel.js';
import { PLATFORMS } from '@belfry/shared/domain/device.js';
import { effectivePreferences } from '@belfry/shared/routing/preferences.js';
import { type RoutedPerson, type RouteRequest, RULES, route } from '@belfry/shared/routing/route.js';
import fc from 'fast-check';

const SARA: RoutedPerson = {
  id: 'sara',
  email: 'sara@example.org',
  phone: '+251911000003',
  webhookUrl: null,
  devices: [],
  active: true,
  preferences: { sms: true },
  suppressed: {},
};
const FREE: RouteRequest = { priority: 'normal', eventChannels: [] };

/** What is used, and why the others are not. */
function outcome(request: Partial<RouteRequest>, person: Partial<RoutedPerson> = {}): Record<string, string> {
  const decisions = route({ ...FREE, ...request }, { ...SARA, ...person });
  return Object.fromEntries(
    decisions.map((one) => [one.channel, one.used ? one.addresses.join(' ') : one.reason]),
  );
}

describe('routing', () => {
  it('decides on every channel once, in their order', () => {
    assert.deepEqual(
      route(FREE, SARA).map(({ channel }) => channel),
      CHANNELS,
    );
  });

  for (const [priority, email, sms] of [
    ['critical', SARA.email, SARA.phone],
    ['high', SARA.email, 'priority_too_low'],
    ['normal', 'priority_too_low', 'priority_too_low'],
    ['low', 'priority_too_low', 'priority_too_low'],
  ] as const) {
    it(`uses for ${priority} what such a notification deserves`, () => {
      assert.deepEqual(outcome({ priority }), {
        realtime: 'sara',
        email,
        sms,
        push: 'no_device',
        webhook: 'not_by_default',
      });
    });
  }

  it('takes the word of the caller over priority and event', () => {
    assert.deepEqual(outcome({ priority: 'critical', channels: ['sms'], eventChannels: ['email'] }), {
      realtime: 'not_requested',
      email: 'not_requested',
      sms: SARA.phone,
      push: 'not_requested',
      webhook: 'not_requested',
    });
  });

  it('uses a webhook when it is asked for and the person has one', () => {
    const webhookUrl = 'https://sara.example/hook';
    assert.equal(outcome({ channels: ['webhook'] }).webhook, 'no_address');
    assert.equal(outcome({ channels: ['webhook'] }, { webhookUrl }).webhook, webhookUrl);
    assert.equal(outcome({ eventChannels: ['webhook'] }, { webhookUrl }).webhook, webhookUrl);
    assert.equal(outcome({}, { webhookUrl }).webhook, 'not_by_default');
    const gone = { webhookUrl, suppressed: { webhook: 'http-410' } };
    assert.equal(outcome({ channels: ['webhook'] }, gone).webhook, 'suppressed');
  });

  it('adds the channels of an event to those of the priority', () => {
    assert.equal(outcome({ eventChannels: ['email', 'sms'] }).email, SARA.email);
    assert.equal(outcome({ eventChannels: ['email', 'sms'] }).realtime, 'sara');
    assert.equal(outcome({ eventChannels: ['webhook'] }).webhook, 'no_address');
  });

  it('pushes to every device, or to those of one platform', () => {
    const devices = [
      { address: 'https://push.example/1', platform: 'web' },
      { address: 'token', platform: 'ios' },
    ] as const;
    assert.equal(outcome({}, { devices }).push, 'https://push.example/1 token');
    assert.equal(outcome({ platform: 'ios' }, { devices }).push, 'token');
    assert.equal(outcome({ platform: 'android' }, { devices }).push, 'no_device');
  });

  it('lets the person have the last word, whoever asked for the channel', () => {
    const wish = { email: false, realtime: false };
    assert.equal(outcome({ channels: ['email'] }, { preferences: wish }).email, 'preference_off');
    assert.equal(outcome({ priority: 'critical' }, { preferences: wish }).realtime, 'preference_off');
    assert.equal(outcome({ eventChannels: ['sms'] }, { preferences: {} }).sms, 'preference_off');
  });

  it('tells an absent address, a suppressed one and an inactive person apart', () => {
    const loud = { priority: 'critical' } as const;
    assert.equal(outcome(loud, { email: null }).email, 'no_address');
    assert.equal(outcome(loud, { suppressed: { email: 'bounced' } }).email, 'suppressed');
    assert.equal(outcome(loud, { active: false }).realtime, 'person_inactive');
  });

  it('has a sentence for every rule', () => {
    for (const [rule, sentence] of Object.entries(RULES)) {
      assert.match(rule, /^[a-z_]+$/);
      assert.match(sentence, /^[A-Z].{15,}\.$/);
    }
  });

  it('agrees with a plain model for every person and request', () => {
    const given = new Set<string>();
    fc.assert(
      fc.property(anyRequest, anyPerson, (request, person) => {
        for (const decision of route(request, person)) {
          given.add(decision.reason);
          assert.deepEqual(decision, expected(decision.channel, request, person));
        }
      }),
      { numRuns: 2_000 },
    );
    assert.deepEqual([...given].sort(), Object.keys(RULES).sort(), 'a rule that nothing leads to');
  });
});

const anyChannels = fc.uniqueArray(fc.constantFrom(...CHANNELS), { minLength: 1 });
const anyRequest: fc.Arbitrary<RouteRequest> = fc.record({
  priority: fc.constantFrom(...PRIORITIES),
  channels: fc.option(anyChannels, { nil: undefined }),
  eventChannels: fc.oneof(fc.constant([]), anyChannels),
  platform: fc.option(fc.constantFrom(...PLATFORMS), { nil: undefined }),
});
const anyPerson: fc.Arbitrary<RoutedPerson> = fc.record({
  id: fc.constant('sara'),
  email: fc.constantFrom(SARA.email, null),
  phone: fc.constantFrom(SARA.phone, null),
  webhookUrl: fc.constantFrom('https://sara.example/hook', null),
  devices: fc.array(fc.record({ address: fc.string(), platform: fc.constantFrom(...PLATFORMS) }), {
    maxLength: 3,
  }),
  active: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  preferences: fc.dictionary(fc.constantFrom(...CHANNELS), fc.boolean()),
  suppressed: fc.dictionary(fc.constantFrom('email', 'sms', 'webhook'), fc.constant('bounced')),
});

/** The same rules as a list of questions, the first "no" of which decides. */
function expected(channel: Channel, request: RouteRequest, person: RoutedPerson) {
  const because = reasonToUse(channel, request);
  const fits = ({ platform }: { platform: string }) => [platform, undefined].includes(request.platform);
  const addresses = {
    realtime: [person.id],
    email: [person.email],
    sms: [person.phone],
    push: person.devices.filter(fits).map((device) => device.address),
    webhook: [person.webhookUrl],
  }[channel].filter((address) => address !== null);
  const objections: [boolean, string][] = [
    [request.channels !== undefined && !request.channels.includes(channel), 'not_requested'],
    [because === null && channel === 'webhook', 'not_by_default'],
    [because === null, 'priority_too_low'],
    [!person.active, 'person_inactive'],
    [!(person.preferences[channel] ?? channel !== 'sms'), 'preference_off'],
    [addresses.length === 0 && channel === 'push', 'no_device'],
    [addresses.length === 0, 'no_address'],
    [person.suppressed[channel] !== undefined, 'suppressed'],
  ];
  const objection = objections.find(([holds]) => holds);
  return objection === undefined
    ? { channel, used: true, addresses, reason: because }
    : { channel, used: false, reason: objection[1] };
}

function reasonToUse(channel: Channel, { channels, eventChannels, priority }: RouteRequest): string | null {
  if (channels?.includes(channel)) return 'requested';
  if (eventChannels.includes(channel)) return 'event';
  if (channel === 'realtime' || channel === 'push') return 'always';
  if (channel === 'email' && (priority === 'critical' || priority === 'high')) return 'priority';
  if (channel === 'sms' && priority === 'critical') return 'priority';
  return null;
}

describe('preferences', () => {
  it('have every channel, are off for text messages alone, and ignore names that are no channel', () => {
    assert.deepEqual(effectivePreferences({ fax: true }), {
      realtime: true,
      email: true,
      sms: false,
      push: true,
      webhook: true,
    });
    assert.equal(effectivePreferences({ sms: true }).sms, true);
  });
});
