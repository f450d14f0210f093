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
  timezone: 'UTC',
  preferences: { sms: true },
  eventPreferences: {},
  quietHours: null,
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

  it('lets what is said of an event go before what is said of the channel, both ways', () => {
    const person = {
      preferences: { email: false, push: true },
      eventPreferences: { paid: { email: true, realtime: false }, toString: { email: true } },
    };
    const of = (eventType: string | null) => outcome({ eventType, channels: ['realtime', 'email'] }, person);
    assert.deepEqual([of('paid').email, of('paid').realtime], [SARA.email, 'event_preference_off']);
    assert.deepEqual([of('late').email, of('late').realtime], ['preference_off', 'sara']);
    assert.deepEqual([of(null).email, of('constructor').email], ['preference_off', 'preference_off']);
  });

  it('sends what is mandatory on the channels of the event, and lets all but the wish stand against it', () => {
    const event = {
      eventType: 'ends',
      eventChannels: ['email', 'sms'],
      mandatory: ['email', 'sms'],
    } as const;
    const unwilling = {
      preferences: { realtime: false, email: false, sms: false },
      eventPreferences: { ends: { email: false } },
    };
    const reasons = (request: Partial<RouteRequest>, person: Partial<RoutedPerson>) =>
      route({ ...FREE, ...event, ...request }, { ...SARA, ...unwilling, ...person }).map(
        ({ reason }) => reason,
      );
    assert.deepEqual(reasons({}, {}), [
      'preference_off',
      'mandatory',
      'mandatory',
      'no_device',
      'not_by_default',
    ]);
    assert.equal(reasons({ channels: ['sms'] }, {})[1], 'not_requested');
    assert.equal(reasons({}, { email: null })[1], 'no_address');
    assert.equal(reasons({}, { suppressed: { email: 'bounced' } })[1], 'suppressed');
    assert.equal(reasons({}, { active: false })[1], 'person_inactive');
  });

  it('puts off what is not critical to the end of the quiet hours, and drops what would expire before', () => {
    const person = { timezone: 'Africa/Addis_Ababa', quietHours: { from: '22:00', to: '07:00' } };
    const at = new Date('2026-11-25T20:00:00Z');
    const until = (request: Partial<RouteRequest>) =>
      route({ ...FREE, at, ...request }, { ...SARA, ...person }).map((one) =>
        one.used ? (one.deferredUntil?.toISOString() ?? 'now') : one.reason,
      );
    const seven = '2026-11-26T04:00:00.000Z';
    const others = ['no_device', 'not_by_default'];
    assert.deepEqual(until({ priority: 'high' }), [seven, seven, 'priority_too_low', ...others]);
    assert.deepEqual(until({ priority: 'critical' }), ['now', 'now', 'now', ...others]);
    assert.equal(until({ at: new Date('2026-11-25T18:59:59Z') })[0], 'now');
    assert.equal(until({ at: undefined })[0], 'now');
    assert.equal(until({ expiresAt: new Date(seven) })[0], 'expires_in_quiet_hours');
    assert.equal(until({ expiresAt: new Date('2026-11-26T04:00:00.001Z') })[0], seven);
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

const EVENTS = ['paid', 'late', 'constructor'] as const;
const anyWish = fc.dictionary(fc.constantFrom(...CHANNELS), fc.boolean());
const anyChannels = fc.uniqueArray(fc.constantFrom(...CHANNELS), { minLength: 1 });
const NOON = new Date('2026-11-25T12:00:00Z');
const NIGHT = new Date('2026-11-25T23:00:00Z');
const MORNING = new Date('2026-11-26T07:00:00Z');

const anyRequest: fc.Arbitrary<RouteRequest> = fc
  .record({
    priority: fc.constantFrom(...PRIORITIES),
    channels: fc.option(anyChannels, { nil: undefined }),
    eventType: fc.constantFrom(...EVENTS, null, undefined),
    eventChannels: fc.oneof(fc.constant([]), anyChannels),
    strict: fc.boolean(),
    at: fc.constantFrom(NOON, NIGHT, undefined),
    expiresAt: fc.constantFrom(undefined, MORNING, new Date('2026-11-27T00:00:00Z')),
    platform: fc.option(fc.constantFrom(...PLATFORMS), { nil: undefined }),
  })
  .map(({ strict, ...request }) => ({ ...request, mandatory: strict ? request.eventChannels : undefined }));
const anyPerson: fc.Arbitrary<RoutedPerson> = fc.record({
  id: fc.constant('sara'),
  email: fc.constantFrom(SARA.email, null),
  phone: fc.constantFrom(SARA.phone, null),
  webhookUrl: fc.constantFrom('https://sara.example/hook', null),
  devices: fc.array(fc.record({ address: fc.string(), platform: fc.constantFrom(...PLATFORMS) }), {
    maxLength: 3,
  }),
  active: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  timezone: fc.constant('UTC'),
  preferences: anyWish,
  eventPreferences: fc.dictionary(fc.constantFrom(...EVENTS), anyWish),
  quietHours: fc.constantFrom(null, { from: '22:00', to: '07:00' }),
  suppressed: fc.dictionary(fc.constantFrom('email', 'sms', 'webhook'), fc.constant('bounced')),
});

/** The same rules as a list of questions, the first "no" of which decides. */
function expected(channel: Channel, request: RouteRequest, person: RoutedPerson) {
  const asked = request.channels?.includes(channel) ?? true;
  const must = asked && (request.mandatory ?? []).includes(channel);
  const because = must ? 'mandatory' : reasonToUse(channel, request);
  const fits = ({ platform }: { platform: string }) => [platform, undefined].includes(request.platform);
  const addresses = {
    realtime: [person.id],
    email: [person.email],
    sms: [person.phone],
    push: person.devices.filter(fits).map((device) => device.address),
    webhook: [person.webhookUrl],
  }[channel].filter((address) => address !== null);
  const said = new Map(Object.entries(person.eventPreferences)).get(request.eventType ?? '')?.[channel];
  const asleep = request.at === NIGHT && person.quietHours !== null && request.priority !== 'critical';
  const objections: [boolean, string][] = [
    [!asked, 'not_requested'],
    [because === null && channel === 'webhook', 'not_by_default'],
    [because === null, 'priority_too_low'],
    [!person.active, 'person_inactive'],
    [!must && said === false, 'event_preference_off'],
    [!must && said === undefined && !(person.preferences[channel] ?? channel !== 'sms'), 'preference_off'],
    [addresses.length === 0 && channel === 'push', 'no_device'],
    [addresses.length === 0, 'no_address'],
    [person.suppressed[channel] !== undefined, 'suppressed'],
    [asleep && request.expiresAt === MORNING, 'expires_in_quiet_hours'],
  ];
  const objection = objections.find(([holds]) => holds);
  if (objection !== undefined) return { channel, used: false, reason: objection[1] };
  return { channel, used: true, addresses, reason: because, ...(asleep ? { deferredUntil: MORNING } : {}) };
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
