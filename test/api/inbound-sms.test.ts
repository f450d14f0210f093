import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { alertOf, raiseAlert } from '../support/alerting.js';
import { useFleet } from '../support/fleet.js';
import { ask, items } from '../support/http.js';
import { freePort } from '../support/ports.js';
import { assertProblem } from './problem.js';

const PORT = await freePort();
const PUBLIC_URL = `http://127.0.0.1:${PORT}`;
const WEBHOOK = `${PUBLIC_URL}/api/v1/inbound/twilio/sms`;
const TOKEN = 'the-token-of-the-account';
const [SARA, ABEBE, SHARED, STRANGER] = ['+251911000001', '+251911000002', '+251911000003', '+251911000009'];

describe('an answer by text message', () => {
  const fleet = useFleet({
    engine: 'postgres',
    env: { PORT: String(PORT), PUBLIC_URL, SMS_ANSWERS: 'on', TWILIO_AUTH_TOKEN: TOKEN },
  });
  const control = (method: string, path: string, body: unknown) =>
    ask(method, fleet().sandboxUrl + path, body);
  async function say(from: string | undefined, text: string, message_sid?: string): Promise<string[]> {
    const answer = await control('POST', '/sms/replies', { from, text, message_sid });
    assert.equal(String(answer.body.status), '200', answer.text);
    return items(answer.body.said).map(String);
  }

  /** Of a source that nobody was told of: no limit holds its text message back. */
  const from = (source: string) => ({ message: 'It is down', source });

  before(async () => {
    const webhook = await control('PUT', '/sms/webhook', { url: WEBHOOK, auth_token: TOKEN });
    assert.equal(webhook.status, 200, webhook.text);
    await fleet().person('sara', { phone: SARA, roles: ['admin'] });
    await fleet().person('abebe', { phone: ABEBE, locale: 'am', roles: ['admin'] });
    await fleet().person('one', { phone: SHARED });
    await fleet().person('two', { phone: SHARED });
    await fleet().database.query(`INSERT INTO on_call (alert_type, user_ids) VALUES ('shared', '{two}')`);
  });

  test('acknowledges the alert that the text message told of, and the sender hears of it', async () => {
    const { id, code } = await raiseAlert(fleet(), 'critical/disk');
    const told = await fleet().sandbox.expectSms(SARA ?? '', /disk/);
    assert.match(told.text, new RegExp(`Reply ACK ${code} to acknowledge\\.`));
    assert.deepEqual(await say(SARA, ` ack${code} `, 'SM1'), [`You have acknowledged alert ${code}.`]);
    await fleet().sandbox.expectSms(SARA ?? '', /You have acknowledged/);
    const alert = await alertOf(fleet(), id);
    assert.deepEqual([alert.acknowledged_by, alert.acknowledged_via].map(String), ['sara', 'sms']);
    const again = await say(SARA, ` ack${code} `, 'SM1');
    assert.deepEqual(again, [`You have acknowledged alert ${code}.`], 'a webhook that is repeated');
    assert.match((await say(ABEBE, `ACK ${code}`)).join(), new RegExp(`^${code}: በsara ተረጋግጧል`));
    assert.deepEqual(await say(ABEBE, `resolve ${code}`), [`ማስጠንቀቂያ ${code} እንደተፈታ አመልክተዋል።`]);
    assert.match((await say(SARA, `ACK ${code}`)).join(), new RegExp(`^${code}: Resolved by abebe, `));
    const kinds = items((await alertOf(fleet(), id)).timeline).map(({ kind }) => String(kind));
    assert.equal(kinds.filter((kind) => kind === 'acknowledged').length, 1);
  });

  test('needs no number when only one alert can be meant, and names those that could be', async () => {
    assert.deepEqual(await say(SARA, 'ACK'), ['None of the alerts that you were told of is open.']);
    const first = await raiseAlert(fleet(), 'critical/one', from('one'));
    const second = await raiseAlert(fleet(), 'critical/two', from('two'));
    await fleet().untilSettled();
    const both = (await say(SARA, 'Ack')).join();
    assert.match(both, /Which one\? Reply ACK/);
    assert.ok(both.includes(first.code) && both.includes(second.code), both);
    for (const text of ["I'll get back to you", `ack ${'x'.repeat(160)}`])
      assert.deepEqual(await say(SARA, text), [], text);
    assert.match((await say(SARA, 'ok, ack that please')).join(), /^Reply ACK or RESOLVE and the number/);
    assert.deepEqual(await say(SARA, 'ok, ack that please'), [], 'once an hour');
    await say(SARA, `ACK ${first.code}`);
    await fleet().untilSettled();
    assert.deepEqual(await say(SARA, 'ack', 'SM2'), [`You have acknowledged alert ${second.code}.`]);
    await say(SARA, `RESOLVE ${first.code}`);
    assert.deepEqual(await say(SARA, 'resolve'), [`You have marked alert ${second.code} as resolved.`]);
    await say(SARA, 'ack', 'SM3');
    const third = await raiseAlert(fleet(), 'critical/three', from('three'));
    await fleet().untilSettled();
    assert.match(
      (await say(SARA, 'ack', 'SM2')).join(),
      /^\d+: Resolved by sara/,
      'it is about the second one',
    );
    assert.match((await say(SARA, 'ack', 'SM3')).join(), /None of the alerts/);
    assert.equal(String((await alertOf(fleet(), third.id)).status), 'open', 'a webhook that is repeated');
    await say(SARA, `RESOLVE ${third.code}`);
  });

  test('takes with a word alone only what a text message has told of', async () => {
    const { id, code } = await raiseAlert(fleet(), 'warning/on_a_stream');
    await fleet().untilSettled();
    assert.deepEqual(await say(SARA, 'ack'), [`Which one? Reply ACK and one of these: ${code}.`]);
    assert.equal(String((await alertOf(fleet(), id)).status), 'open');
    assert.deepEqual(await say(SARA, `resolve ${code}`), [`You have marked alert ${code} as resolved.`]);
  });

  test('is from whoever has the number and was told', async () => {
    const { id, code } = await raiseAlert(fleet(), 'critical/shared');
    assert.deepEqual(await say(SHARED, `ACK ${code}`), [`You have acknowledged alert ${code}.`]);
    assert.equal(String((await alertOf(fleet(), id)).acknowledged_by), 'two');
  });

  test('of somebody who was not told, to a number that is none, of nobody, or of a machine: changes nothing', async () => {
    const { id, code } = await raiseAlert(fleet(), 'critical/mine');
    assert.deepEqual(await say(SHARED, `ACK ${code}`), [`You were told of no alert ${code}.`]);
    assert.deepEqual(await say(SARA, 'ACK 999999'), ['You were told of no alert 999999.']);
    assert.deepEqual(await say(STRANGER, `ACK ${code}`), []);
    for (const text of ['STOP', 'I am driving', '\u0000']) assert.deepEqual(await say(SARA, text), []);
    await fleet().database.query(`UPDATE person SET active = false WHERE id = 'sara'`);
    assert.deepEqual(await say(SARA, `ACK ${code}`), [], 'of somebody who is not active any more');
    await fleet().database.query(`UPDATE person SET active = true WHERE id = 'sara'`);
    assert.equal(String((await alertOf(fleet(), id)).status), 'open');
  });

  test('that Twilio has not signed is refused and counted', async () => {
    const { id, code } = await raiseAlert(fleet(), 'critical/forged');
    const body = new URLSearchParams({ From: SARA ?? '', Body: `ACK ${code}`, To: '+1', MessageSid: 'SM' });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    for (const signature of [{}, { 'x-twilio-signature': 'x' }, { 'x-twilio-signature': 'A'.repeat(27) }])
      assertProblem(await ask('POST', WEBHOOK, String(body), { ...headers, ...signature }), 403);
    assertProblem(await ask('POST', WEBHOOK, `Body=${'x'.repeat(70_000)}`, headers), 413);
    assertProblem(await ask('POST', WEBHOOK, { From: SARA, Body: `ACK ${code}` }), 403);
    assert.equal(String((await alertOf(fleet(), id)).status), 'open');
    assert.match((await fleet().page('/metrics')).text, /belfry_signatures_refused_total\{from="twilio"\} 4/);
  });

  test('one number is answered twenty times a minute at most', async () => {
    let silent = 0;
    for (let n = 0; n < 25; n += 1) if ((await say(SHARED, 'ACK')).length === 0) silent += 1;
    assert.ok(silent >= 5, `${silent} were not answered`);
    const { id, code } = await raiseAlert(fleet(), 'critical/shared', from('late'));
    assert.deepEqual(await say(SHARED, `ACK ${code}`), []);
    assert.equal(String((await alertOf(fleet(), id)).acknowledged_by), 'two', 'and is done all the same');
  });
});

describe('where answers are off', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [] });

  test('nothing is there', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await ask('POST', `${fleet().api.url}/api/v1/inbound/twilio/sms`, 'Body=ACK', headers);
    assertProblem(answer, 404, { detail: /SMS_ANSWERS is not on/ });
  });
});
