import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readAnswer } from '@belfry/api/acknowledge/text-answer.js';
import { isSignedByTwilio } from '@belfry/api/acknowledge/twilio-signature.js';
import { fill, LANGUAGES, wordsFor } from '@belfry/api/acknowledge/words.js';
import { signatureOf } from '@belfry/sandbox/twilio-inbound.js';
import twilio from 'twilio';

describe('an answer by text message', () => {
  const good: [string, 'acknowledge' | 'resolve', number | null][] = [
    ['ACK 4821', 'acknowledge', 4821],
    ['ack4821', 'acknowledge', 4821],
    [' Ack  #4821. ', 'acknowledge', 4821],
    ['"ACK: 104821"\n', 'acknowledge', 104_821],
    ['Acknowledge 4821', 'acknowledge', 4821],
    ['ＡＣＫ　４８２１', 'acknowledge', 4821],
    ['ack', 'acknowledge', null],
    ['RESOLVE 4821', 'resolve', 4821],
    ['resolved', 'resolve', null],
  ];
  for (const [text, verb, code] of good)
    it(`${JSON.stringify(text)} is understood`, () => assert.deepEqual(readAnswer(text), { verb, code }));
  for (const text of [
    '',
    '4821',
    'back 4821',
    'ACK 48',
    'ACK 4821 please',
    'STOP',
    'ACK 4821 4822',
    'ACK 12345678',
  ])
    it(`${JSON.stringify(text)} is not`, () => assert.equal(readAnswer(text), null));
  it('a long one is not, and is read at once', () => {
    const began = performance.now();
    for (const text of [`ack${' '.repeat(200)}4821`, `ack${' '.repeat(1_000_000)}x`])
      assert.equal(readAnswer(text), null);
    assert.ok(performance.now() - began < 1_000);
  });
});

describe('a signature of Twilio', () => {
  const token = 'the token of an account';
  const url = 'https://belfry.example.com/api/v1/inbound/twilio/sms';
  const form = {
    MessageSid: 'SM1',
    From: '+251911234567',
    To: '+15005550006',
    Body: 'ACK 4821 ✓ እሺ',
    Empty: '',
  };
  const signed = (at: string) => twilio.getExpectedTwilioSignature(token, at, form);

  it("is that of Twilio's own library, with a port and without one", () => {
    for (const at of [url, url.replace('.com', '.com:443')])
      assert.ok(isSignedByTwilio(token, signed(at), url, form), at);
    const own = 'http://127.0.0.1:3000/api/v1/inbound/twilio/sms?x=a%20b';
    for (const at of [own, own.replace(':3000', '')])
      assert.ok(isSignedByTwilio(token, signed(at), own, form), at);
    assert.equal(signatureOf({ url, authToken: token }, form), signed(url), 'the sandbox signs like it');
  });

  it('counts every value of a field that comes twice, once', () => {
    const twice = { ...form, Media: ['b', 'a', 'b'] };
    assert.ok(isSignedByTwilio(token, twilio.getExpectedTwilioSignature(token, url, twice), url, twice));
  });

  it('is not that of another token, address or field, and not nothing', () => {
    const signature = signed(url);
    assert.ok(!isSignedByTwilio('another token', signature, url, form));
    assert.ok(!isSignedByTwilio(token, signature, `${url}/`, form));
    assert.ok(!isSignedByTwilio(token, signature, url, { ...form, Body: 'ACK 4822' }));
    assert.ok(!isSignedByTwilio(token, signature, url, { ...form, More: '1' }));
    for (const wrong of ['', 'x', signature.slice(0, -4)])
      assert.ok(!isSignedByTwilio(token, wrong, url, form), wrong);
  });
});

describe('the words of an answer', () => {
  it('are there in every language, with the same blanks to fill in', () => {
    const blanks = (language: string) =>
      Object.entries(wordsFor(language).words).map(([name, said]) => [
        name,
        [said].flat().map((text) => [...String(text).matchAll(/\{\w+\}/g)].flat().sort()),
      ]);
    const texts = LANGUAGES.map((language) => Object.values(wordsFor(language).words).flat().join());
    assert.equal(new Set(texts).size, LANGUAGES.length);
    for (const language of LANGUAGES) assert.deepEqual(blanks(language), blanks('en'), language);
  });

  it('are English for whoever reads none of the languages, and fill in nothing that was filled in', () => {
    assert.equal(wordsFor('am-ET').language, 'am');
    assert.equal(wordsFor('fr').language, 'en');
    assert.equal(fill('{who} {when}', { who: '{when}', when: 'now' }), '{when} now');
  });
});
