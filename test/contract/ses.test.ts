import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SES } from '@belfry/channels/answer-tables.js';
import { byHttpStatus, bySesError } from '@belfry/channels/classify.js';
import { ses as definition } from '@belfry/channels/email/ses.js';
import { configuredProviders, parseSettings } from '@belfry/channels/providers.js';
import { simpleParser } from 'mailparser';
import { type Action, answer, hang, http, type WireRequest, wireServer } from '../support/wire-server.js';
import { connect, KEY_ID, MESSAGE_ID, made, SECRET } from './ses-subject.js';
import { mail } from './smtp-subject.js';
import { create } from './subject.js';
import { withProvider } from './with-provider.js';

/** An error as SES sends it: the name in a header, the sentence in the body. */
const refusal = (status: number, name: string, headers = {}) =>
  answer(status, JSON.stringify({ message: 'canary' }), { 'x-amzn-ErrorType': name, ...headers });

describe('SES', () => {
  let act: (request: WireRequest) => Action = () => hang;
  const end = withProvider(
    (server) => connect(server),
    (request) => act(request),
  );
  const send = (message = mail()) => end.provider.send(message, AbortSignal.timeout(5_000));

  it('is handed one signed request with the whole mail in it', async () => {
    const seen: WireRequest[] = [];
    act = (request) => {
      seen.push(request);
      return answer(200, made(), { 'Content-Type': 'application/json' });
    };
    const message = mail();
    assert.deepEqual(await send(message), { kind: 'sent', code: 'http-200', providerId: MESSAGE_ID });
    const [request, ...others] = seen;
    assert.ok(request);
    assert.equal(others.length, 0);
    assert.equal(`${request.method} ${request.path}`, 'POST /v2/email/outbound-emails');
    assert.match(
      request.head,
      new RegExp(`^authorization: AWS4-HMAC-SHA256 Credential=${KEY_ID}/\\d+/eu-west-1/ses/`, 'im'),
    );
    assert.ok(!request.head.includes(SECRET));
    const body = JSON.parse(request.body);
    assert.deepEqual(body.Destination, { ToAddresses: [message.to] });
    assert.match(body.FromEmailAddress, /no-reply@sender\.example/);
    const parsed = await simpleParser(Buffer.from(body.Content.Raw.Data, 'base64'));
    assert.equal(parsed.headers.get('x-belfry-delivery'), message.deliveryId);
    assert.equal(parsed.messageId, `<${message.deliveryId}@sender.example>`);
    assert.equal(parsed.date?.toISOString(), message.firstAttemptAt.toISOString());
    assert.equal(parsed.subject, message.content.subject);
    assert.equal(parsed.text?.trim(), message.content.text);
    assert.equal(parsed.html, message.content.html);
  });

  it('is handed the same mail in every attempt', async () => {
    const bodies: string[] = [];
    let deadline = new AbortController();
    act = ({ body }) => {
      const raw = Buffer.from(JSON.parse(body).Content.Raw.Data, 'base64').toString();
      const boundary = /boundary="([^"]+)"/.exec(raw)?.[1] ?? '';
      bodies.push(raw.replaceAll(boundary, 'boundary'));
      deadline.abort(new DOMException('The deadline has passed', 'TimeoutError'));
      return hang;
    };
    const message = mail();
    for (let attempt = 0; attempt < 2; attempt++) {
      deadline = new AbortController();
      const outcome = await end.provider.send(message, deadline.signal);
      assert.deepEqual([outcome.kind, outcome.code], ['ambiguous', 'timeout']);
    }
    assert.equal(bodies.length, 2, 'one request each: the SDK does not try again by itself');
    assert.equal(bodies[0], bodies[1]);
  });

  it('judges every HTTP status from 200 to 599 by the table, and asks once for each', async () => {
    let asked = 0;
    for (let status = 200; status < 600; status++) {
      act = () => {
        asked += 1;
        return answer(status, '<html>canary-body</html>');
      };
      assert.deepEqual(await send(), byHttpStatus(status), String(status));
    }
    assert.equal(asked, 400);
  });

  it('never takes an HTTP status from 100 to 199 for an answer', async () => {
    for (let status = 100; status < 200; status++) {
      const calledOff = new AbortController();
      act = () => (socket) => {
        answer(status)(socket);
        calledOff.abort();
      };
      const outcome = await end.provider.send(mail(), calledOff.signal);
      assert.equal(outcome.kind, 'ambiguous', `${status}: ${JSON.stringify(outcome)}`);
    }
  });

  it('judges every error it knows by its name, whatever the status', async () => {
    const names = Object.keys(SES).filter((name) => name !== 'CredentialsProviderError');
    assert.ok(names.length > 20);
    for (const name of names) {
      for (const status of [400, 403, 500]) {
        act = () => refusal(status, name);
        assert.deepEqual(await send(), bySesError(name, status), `${name} with ${status}`);
      }
    }
  });

  for (const [name, status, kind] of [
    ['MessageRejected', 400, 'misconfigured'],
    ['MailFromDomainNotVerifiedException', 400, 'misconfigured'],
    ['AccountSuspendedException', 400, 'misconfigured'],
    ['SendingPausedException', 400, 'misconfigured'],
    ['TooManyRequestsException', 429, 'throttled'],
    ['LimitExceededException', 400, 'throttled'],
    ['ThrottlingException', 400, 'throttled'],
    ['BadRequestException', 400, 'rejected'],
    ['NotFoundException', 404, 'misconfigured'],
    ['UnrecognizedClientException', 403, 'misconfigured'],
    ['InvalidClientTokenId', 403, 'misconfigured'],
    ['SignatureDoesNotMatch', 403, 'misconfigured'],
    ['ExpiredTokenException', 403, 'misconfigured'],
    ['InternalServiceErrorException', 500, 'retry'],
    ['ServiceUnavailable', 503, 'retry'],
    ['toString', 400, 'rejected'],
  ] as const) {
    it(`says ${kind} to ${name}`, async () => {
      act = () => refusal(status, `${name}:http://internal.amazon.com/coral/`);
      const outcome = await send();
      assert.equal(outcome.kind, kind, JSON.stringify(outcome));
      assert.ok(!JSON.stringify(outcome).includes('canary'));
    });
  }

  it('passes on how long SES asks to wait', async () => {
    act = () => refusal(429, 'TooManyRequestsException', { 'Retry-After': '7' });
    const outcome = await send();
    assert.deepEqual(outcome, bySesError('TooManyRequestsException', 429, '7'));
    assert.equal('afterMs' in outcome && outcome.afterMs, 7_000);
  });

  it('opens no connection before the first message', async () => {
    const fresh = await wireServer(http(() => answer(200, made())));
    const idle = await connect(fresh);
    await idle.close();
    assert.equal(fresh.connections(), 0);
    await fresh.close();
  });

  it('opens no more connections than it is given messages at once, and keeps them', async () => {
    const fresh = await wireServer(http(() => answer(200, made())));
    const few = await create(
      definition,
      {
        AWS_REGION: 'eu-west-1',
        AWS_ACCESS_KEY_ID: KEY_ID,
        AWS_SECRET_ACCESS_KEY: SECRET,
        SES_ENDPOINT: `http://localhost:${fresh.port}`,
      },
      undefined,
      { concurrency: 3 },
    );
    const sends = Array.from({ length: 30 }, () => few.send(mail(), AbortSignal.timeout(5_000)));
    for (const outcome of await Promise.all(sends)) assert.equal(outcome.kind, 'sent');
    assert.ok(fresh.connections() <= 3, `${fresh.connections()} connections`);
    await few.close();
    await fresh.close();
  });

  for (const [to, subject] of [
    ['a@reader.example\r\nBcc: victim@evil.example', 'Hi'],
    ['a@reader.example,victim@evil.example', 'Hi'],
    ['a@reader.example', 'Hi\r\nBcc: victim@evil.example'],
    ['a@reader.example', 'Hi\nBcc: victim@evil.example'],
    ['a@reader.example', 'x'.repeat(1_000)],
  ] as const) {
    it(`is not asked to carry ${JSON.stringify([to, subject]).slice(0, 60)}`, async () => {
      let asked = 0;
      act = () => {
        asked += 1;
        return answer(200, made());
      };
      const message = mail(to);
      const outcome = await send({ ...message, content: { ...message.content, subject } });
      assert.equal(outcome.kind, 'rejected');
      assert.equal(asked, 0);
    });
  }
});

describe('the settings of SES', () => {
  const names = (env: Record<string, string>) => configuredProviders(env).map(({ name }) => name);
  const complaints = (env: Record<string, string>) => {
    const parsed = parseSettings(env);
    return parsed.ok ? [] : parsed.problems.map(({ setting }) => setting);
  };

  it('switch it on by keys, an endpoint or the wish to use a role, and not by a region', () => {
    assert.deepEqual(names({ AWS_REGION: 'eu-west-1', MAIL_FROM: 'a@b.example' }), ['inbox']);
    for (const sign of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'SES_ENDPOINT', 'SES_CREDENTIALS'])
      assert.deepEqual(names({ [sign]: 'x' }), ['inbox', 'ses'], sign);
  });

  it('come after SMTP', () => {
    assert.deepEqual(names({ SMTP_URL: 'smtp://x', SES_CREDENTIALS: 'chain' }), ['inbox', 'smtp', 'ses']);
  });

  it('need both halves of a key, or a role', () => {
    const region = { AWS_REGION: 'eu-west-1' };
    assert.deepEqual(complaints({ ...region, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }), []);
    assert.deepEqual(complaints({ ...region, SES_CREDENTIALS: 'chain' }), []);
    assert.deepEqual(complaints({ ...region, AWS_ACCESS_KEY_ID: 'a' }), ['AWS_SECRET_ACCESS_KEY']);
    assert.deepEqual(complaints({ AWS_ACCESS_KEY_ID: 'a' }), ['AWS_REGION', 'AWS_SECRET_ACCESS_KEY']);
    assert.deepEqual(complaints({ ...region, SES_ENDPOINT: 'http://x' }), [
      'AWS_ACCESS_KEY_ID',
      'AWS_SECRET_ACCESS_KEY',
    ]);
    assert.deepEqual(complaints({ ...region, SES_CREDENTIALS: 'role' }), ['SES_CREDENTIALS']);
    assert.deepEqual(complaints({ ...region, SES_CREDENTIALS: 'chain', SES_ENDPOINT: 'ftp://x' }), [
      'SES_ENDPOINT',
    ]);
  });
});
