import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Caller, Operation } from '@belfry/api/openapi/operation.js';
import { TOPICS } from '@belfry/api/openapi/topics.js';
import twilio from 'twilio';
import { operations, resolved } from '../support/api-document/operations.js';
import { type CallOptions, useFleet } from '../support/fleet.js';
import { type Answer, ask as askPage } from '../support/http.js';
import { inboundPlace, sourceHeader } from './inbound-places.js';
import { assertProblem } from './problem.js';
import { putNotes } from './put-notes.js';

/** An answer without an end has tests of its own. */
const ends = ({ answers }: Operation) =>
  Object.values(answers).every(({ content }) => content?.['text/event-stream'] === undefined);

/** Erasing comes last: what is erased cannot be shown; and the person after what is theirs. */
const OPERATIONS = TOPICS.flatMap(({ operations }) => operations.filter(ends)).toSorted(
  (one, other) => lateness(one) - lateness(other),
);
const PERSON = 'abebe';
const GROUP = 'tenants';
const ALERT_TYPE = 'disk_full';
const WEBHOOK_SECRETS = `whsec_${Buffer.alloc(32, 's').toString('base64')}`;
const TWILIO = { PUBLIC_URL: 'https://belfry.test', SMS_ANSWERS: 'on', TWILIO_AUTH_TOKEN: 'token' };
const SELF: CallOptions = { as: 'user', sub: PERSON };
/** With the token of an alert source, which is made when it calls. */
const SOURCE: CallOptions = { as: null };
const CALLERS: Readonly<Record<Caller, CallOptions>> = {
  admin: { as: 'admin' },
  internal: { as: 'internal' },
  self: SELF,
  told: SELF,
  source: SOURCE,
};

describe('what the document gives as examples', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [], env: { WEBHOOK_SECRETS, ...TWILIO } });
  before(() => fleet().person(PERSON, { email: 'abebe@example.com', groups: [GROUP] }));

  for (const operation of OPERATIONS) {
    const { method, path, who } = operation;
    const callers = who === null ? [{ as: null }] : who.map((one) => CALLERS[one]);

    for (const [name, media, body] of examplesOf(operation))
      test(`${method} ${path} takes ${name}, from everybody who may call`, async () => {
        for (const caller of callers) {
          const answer = await ask(operation, caller, media, body);
          assert.ok(answer.status in operation.answers, `${answer.status} ${answer.text}`);
        }
      });

    test(`${method} ${path} takes every value that its query lists`, async () => {
      for (const query of queriesOf(operation)) {
        const answer = await ask(operation, callers[0] ?? {}, undefined, undefined, query);
        assert.ok(answer.status in operation.answers, `${query}: ${answer.status} ${answer.text}`);
      }
    });

    if (who !== null)
      test(`${method} ${path} is refused to everybody else`, async () => {
        assertProblem(await ask(operation, { as: null }), 401);
        // To whoever was not told of an alert it is not there, and their list is empty.
        if (who.includes('told')) {
          const other = await ask(operation, { as: 'user', sub: 'somebody-else' });
          if (path.includes('{id}')) return assertProblem(other, 404);
          return assert.deepEqual(other.body, []);
        }
        // Where only sources call, nobody else's token is one.
        const refused = who.every((one) => one === 'source') ? 401 : 403;
        assertProblem(await ask(operation, { as: 'user', sub: 'somebody-else' }), refused);
        assertProblem(await ask(operation, { as: 'viewer', sub: PERSON }), refused);
        if (!who.includes('internal')) assertProblem(await ask(operation, CALLERS.internal), refused);
        if (!who.includes('self')) assertProblem(await ask(operation, SELF), refused);
      });
  }

  async function ask(
    { method, path, params }: Operation,
    caller: CallOptions,
    media = 'application/json',
    body?: unknown,
    query = '',
  ): Promise<Answer> {
    const place =
      params === undefined ? path : ((await inboundPlace(fleet(), path, body)) ?? (await filled(path)));
    const sent = media === 'application/json' ? body : String(body);
    const headers = {
      ...(body === undefined ? {} : { 'content-type': media, ...signatureOf(place, sent) }),
      ...(caller === SOURCE ? await sourceHeader(fleet()) : {}),
    };
    if (!place.startsWith('/api/v1'))
      return askPage(method.toUpperCase(), fleet().api.url + place, sent, headers);
    return fleet().call(method.toUpperCase(), place.slice('/api/v1'.length) + query, sent, {
      ...caller,
      headers,
    });
  }

  /** The id of the last of the devices that are examples, all of which are there. */
  async function registered(): Promise<string> {
    const operation = OPERATIONS.find(({ id }) => id === 'registerDevice');
    assert.ok(operation);
    let id = '';
    for (const [, , body] of examplesOf(operation))
      id = String((await fleet().call('POST', `/users/${PERSON}/devices`, body)).body.id);
    return id;
  }

  /** The path of something that is there, and that nothing has been done to. */
  async function filled(path: string): Promise<string> {
    if (path.includes('{token}')) return path.replace('{token}', 'x');
    if (path.includes('{platform}')) return path.replace('{platform}', 'android');
    if (path.includes('{level}'))
      return path.replace('{level}', 'critical').replace('{alert_type}', ALERT_TYPE);
    if (path.includes('/alerts/{id}')) return path.replace('{id}', await raised());
    if (path.includes('/escalation-policies/')) return path.replace('{name}', await written());
    if (path.includes('{alert_type}'))
      return path.replace('{alert_type}', ALERT_TYPE).replace('{id}', await standingIn());
    if (path.includes('{item}')) {
      const [item = ''] = await putNotes(fleet(), PERSON, ['x']);
      return path.replace('{id}', PERSON).replace('{item}', item);
    }
    const [, before = '', rest = ''] = /^(.*?)\{(?:id|group_id|user_id)\}(.*)$/.exec(path) ?? [];
    if (before.includes('/group')) return before + GROUP + rest.replace('{user_id}', PERSON);
    if (before.endsWith('/broadcasts/')) return before + (await broadcastFor(rest)) + rest;
    if (path.includes('/devices')) return before + PERSON + rest.replace('{device_id}', await registered());
    // A session can be renewed once it is there.
    if (before.endsWith('/heartbeat/'))
      await fleet().call('POST', `/websocket/connect/${PERSON}`, { session_id: 'phone-1' });
    if (/\/(users|user|presence|connect|disconnect|heartbeat)\/$/.test(before)) return before + PERSON + rest;
    const later = new Date(Date.now() + 3_600_000).toISOString();
    if (!before.endsWith('/email/'))
      return before + (await fleet().send({ user_id: PERSON, message: 'x', send_at: later })) + rest;
    const mail = { to: 'abebe@example.com', subject: 's', body: 'b', send_at: later };
    const sent = await fleet().call('POST', '/notifications/email/send', mail);
    return `${before}${sent.body.email_id}${rest}`;
  }

  /** An alert that the person was told of. */
  async function raised(): Promise<string> {
    await fleet().call('PUT', `/on-call/${ALERT_TYPE}`, { user_ids: [PERSON] });
    const answer = await fleet().call('POST', `/notifications/alerts/critical/${ALERT_TYPE}`, {
      message: 'x',
    });
    return String(answer.body.alert_id);
  }

  /** A policy that is there. */
  async function written(): Promise<string> {
    const steps = [{ after_ms: 60_000, notify: { admins: true } }];
    const answer = await fleet().call('PUT', '/escalation-policies/nights', { steps });
    return String(answer.body.name);
  }

  /** The id of an override of a schedule that is there. */
  async function standingIn(): Promise<string> {
    await fleet().call('PUT', `/on-call/${ALERT_TYPE}`, { user_ids: [PERSON] });
    const span = { starts_at: Date.now() / 1000, ends_at: Date.now() / 1000 + 3600 };
    const made = await fleet().call('POST', `/on-call/${ALERT_TYPE}/overrides`, { user_id: PERSON, ...span });
    return String(made.body.id);
  }

  /** A broadcast to which this can be done; one that has ended for whoever would watch it to its end. */
  async function broadcastFor(rest: string): Promise<string> {
    const body = { message: 'x', send_at: new Date(Date.now() + 3_600_000).toISOString() };
    const sent = await fleet().call('POST', '/notifications/realtime/broadcast', body);
    const id = String(sent.body.broadcast_id);
    const first = { '/resume': 'pause', '/progress': 'cancel' }[rest];
    if (first !== undefined) await fleet().call('POST', `/broadcasts/${id}/${first}`);
    return id;
  }
});

/** What a provider sends is signed. */
function signatureOf(path: string, body: unknown): Record<string, string> {
  if (!path.includes('/inbound/twilio/')) return {};
  const form = Object.fromEntries(new URLSearchParams(String(body)));
  const { TWILIO_AUTH_TOKEN: token, PUBLIC_URL } = TWILIO;
  return { 'x-twilio-signature': twilio.getExpectedTwilioSignature(token, PUBLIC_URL + path, form) };
}

function lateness({ id, method }: Operation): number {
  if (method !== 'delete') return 0;
  return id === 'erasePerson' ? 2 : 1;
}

/** Each example of a body, with its media type; one without a body for a call that takes none. */
function examplesOf({ body }: Operation): [name: string, media: string | undefined, body: unknown][] {
  if (body === undefined) return [['a call', undefined, undefined]];
  return Object.entries(body).flatMap(([media, { examples }]) =>
    Object.entries(examples).map(([name, value]): [string, string, unknown] => [`"${name}"`, media, value]),
  );
}

/** A query for each example, each word and each default that the document lists for a parameter. */
function queriesOf({ id }: Operation): string[] {
  const described = operations().find(({ operation }) => operation.operationId === id);
  const parameters = described?.operation.parameters ?? [];
  return parameters
    .filter((one) => one.in === 'query')
    .flatMap(({ name, schema }) => {
      const { examples, enum: words, default: usual } = resolved(schema);
      const values = [examples, words, usual].flat().filter((value) => value !== undefined);
      return values.map((value) => `?${name}=${encodeURIComponent(String(value))}`);
    });
}
