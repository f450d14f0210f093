import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { byHttpStatus, byTwilioCode } from '@belfry/channels/classify.js';
import type { Found } from '@belfry/channels/provider.js';
import { twilio as definition } from '@belfry/channels/sms/twilio.js';
import { type Action, answer, endless, hang, type WireRequest } from '../support/wire-server.js';
import { create } from './subject.js';
import { ACCOUNT, connect, FROM, made, SID, TOKEN, text } from './twilio-subject.js';
import { withProvider } from './with-provider.js';

const refusal = (status: number, code: number, headers = {}) =>
  answer(status, JSON.stringify({ code, message: 'canary', more_info: '', status }), headers);

describe('Twilio', () => {
  let act: (request: WireRequest) => Action = () => hang;
  const end = withProvider(
    (server) => connect(server),
    (request) => act(request),
  );
  const send = () => end.provider.send(text(), AbortSignal.timeout(5_000));

  it('judges every HTTP status from 200 to 599 by the table', async () => {
    for (let status = 200; status < 600; status++) {
      act = () => answer(status, '<html>canary-text</html>');
      assert.deepEqual(await send(), byHttpStatus(status), String(status));
    }
  });

  it('never takes an HTTP status from 100 to 199 for an answer', async () => {
    for (let status = 100; status < 200; status++) {
      const calledOff = new AbortController();
      act = () => (socket) => {
        answer(status)(socket);
        calledOff.abort();
      };
      const outcome = await end.provider.send(text(), calledOff.signal);
      assert.equal(outcome.kind, 'ambiguous', `${status}: ${JSON.stringify(outcome)}`);
    }
  });

  for (const [status, code, kind] of [
    [400, 21211, 'rejected'],
    [400, 21408, 'rejected'],
    [400, 21610, 'rejected'],
    [400, 21612, 'rejected'],
    [400, 21614, 'rejected'],
    [400, 21617, 'rejected'],
    [400, 21606, 'misconfigured'],
    [401, 20003, 'misconfigured'],
    [404, 20404, 'misconfigured'],
    [429, 20429, 'throttled'],
    [400, 20429, 'throttled'],
    [400, 14107, 'throttled'],
  ] as const) {
    it(`says ${kind} to ${code} with status ${status}`, async () => {
      act = () => refusal(status, code);
      const outcome = await send();
      assert.deepEqual([outcome.kind, outcome.code], [kind, `twilio-${code}`]);
      assert.deepEqual(outcome, byTwilioCode(code, status));
    });
  }

  it('judges a code that it does not know by the status', async () => {
    act = () => refusal(503, 29999);
    assert.equal((await send()).code, 'http-503');
  });

  it('understands errors in the form of RFC 9457 as well', async () => {
    const problem = { type: 'https://wire.test/21610', title: 'canary', status: 400, code: 21610 };
    act = () => answer(400, JSON.stringify(problem), { 'Content-Type': 'application/problem+json' });
    assert.equal((await send()).code, 'twilio-21610');
  });

  it('keeps a number that opted out from being used again', async () => {
    act = () => refusal(400, 21610);
    const outcome = await send();
    assert.ok(outcome.kind === 'rejected' && outcome.suppress);
  });

  it('passes on how long Twilio asks to wait', async () => {
    act = () => refusal(429, 20429, { 'Retry-After': '7' });
    const outcome = await send();
    assert.ok(outcome.kind === 'throttled');
    assert.equal(outcome.afterMs, 7_000);
  });

  it('reads no more of an answer than a message can need', async () => {
    let poured = () => 0;
    act = () => (socket) => {
      poured = () => socket.bytesWritten;
      endless('HTTP/1.1 201 Created\r\n\r\n', ' '.repeat(10_000))(socket);
    };
    assert.equal((await send()).kind, 'ambiguous');
    // The rest is what the buffers of the two sockets hold.
    assert.ok(poured() < 20_000_000, `${poured()} bytes`);
  });

  it('asks once, whatever the answer', async () => {
    for (const status of [201, 429, 500, 503, 301, 307]) {
      let requests = 0;
      act = () => {
        requests++;
        return answer(status, made(), { Location: '/elsewhere' });
      };
      await send();
      assert.equal(requests, 1, String(status));
    }
  });

  it('says what it sends, to whom, from whom and for which account, and returns Twilio’s name for it', async () => {
    const requests: WireRequest[] = [];
    act = (request) => {
      requests.push(request);
      return answer(201, made());
    };
    assert.deepEqual(await send(), { kind: 'sent', code: 'http-201', providerId: SID });
    const [request] = requests;
    assert.equal(request?.path, `/2010-04-01/Accounts/${ACCOUNT}/Messages.json`);
    assert.match(request?.head ?? '', new RegExp(`authorization: Basic ${btoa(`${ACCOUNT}:${TOKEN}`)}`, 'i'));
    const { to, content } = text();
    assert.deepEqual(Object.fromEntries(new URLSearchParams(request?.body)), {
      To: to,
      Body: content.text,
      From: FROM,
    });
  });

  it('sends through a messaging service, and below a path', async () => {
    let request: WireRequest | undefined;
    act = (seen) => {
      request = seen;
      return answer(201, made());
    };
    const service = `MG${'0'.repeat(32)}`;
    const other = await create(definition, {
      TWILIO_ACCOUNT_SID: ACCOUNT,
      TWILIO_AUTH_TOKEN: TOKEN,
      TWILIO_FROM: service,
      TWILIO_BASE_URL: `http://localhost:${end.server.port}/behind/a/proxy/`,
    });
    assert.equal((await other.send(text(), AbortSignal.timeout(5_000))).kind, 'sent');
    assert.match(request?.path ?? '', /^\/behind\/a\/proxy\/2010-04-01\//);
    assert.equal(new URLSearchParams(request?.body).get('MessagingServiceSid'), service);
    await other.close();
  });

  it('judges a message that failed while it was made by its error code', async () => {
    act = () => answer(201, made({ status: 'failed', error_code: 21610 }));
    assert.equal((await send()).code, 'twilio-21610');
  });

  describe('asked for a message', () => {
    const wanted = text();
    const listed = (more: object = {}) => ({
      sid: SID,
      to: wanted.to,
      body: wanted.content.text,
      date_created: new Date(wanted.firstAttemptAt.getTime() + 2_000).toUTCString(),
      ...more,
    });
    const find = async (messages: unknown): Promise<Found | undefined> => {
      act = () => answer(200, JSON.stringify({ messages, page: 0, page_size: 50, next_page_uri: null }));
      return end.provider.find?.(wanted, AbortSignal.timeout(5_000));
    };
    const others = (count: number, more: object = {}) =>
      Array.from({ length: count }, () => listed({ body: 'x', ...more }));
    const long = (ms: number) => new Date(wanted.firstAttemptAt.getTime() - ms).toUTCString();

    it('finds it among others', async () => {
      assert.deepEqual(await find([...others(3), listed()]), {
        kind: 'sent',
        code: 'found',
        providerId: SID,
      });
    });

    it('finds it behind the words that a trial account adds', async () => {
      const found = await find([
        listed({ body: `Sent from your Twilio trial account - ${wanted.content.text}` }),
      ]);
      assert.equal(found?.kind, 'sent');
    });

    it('asks for the newest messages to the number', async () => {
      let path = '';
      act = (request) => {
        path = request.path;
        return answer(200, JSON.stringify({ messages: [] }));
      };
      await end.provider.find?.(wanted, AbortSignal.timeout(5_000));
      assert.deepEqual(Object.fromEntries(new URL(path, 'http://x').searchParams), {
        To: wanted.to,
        PageSize: '50',
      });
    });

    for (const [name, messages] of [
      ['nothing was sent to the number', []],
      ['only other texts were', others(3)],
      ['the same text was sent long before', [listed({ date_created: long(3_600_000) })]],
      ['a full page reaches back far enough', others(50, { date_created: long(3_600_000) })],
    ] as const) {
      it(`is sure that it is absent when ${name}`, async () => {
        assert.deepEqual(await find(messages), { kind: 'absent' });
      });
    }

    for (const [name, messages] of [
      ['a full page does not reach back to the first attempt', others(50)],
      ['a message has no date', [listed({ date_created: null, body: 'x' })]],
      ['a message has no sid', [listed({ sid: null })]],
      ['the list is no list', 'x'],
      ['the list has something else in it', [null]],
    ] as const) {
      it(`cannot tell when ${name}`, async () => {
        assert.equal((await find(messages))?.kind, 'unknown');
      });
    }

    for (const [name, action] of [
      ['answers 500', answer(500, '{}')],
      ['answers 401', answer(401, '{}')],
      ['answers with HTML', answer(200, '<html></html>')],
      ['answers with an empty object', answer(200, '{}')],
      ['answers with nothing', answer(200)],
      ['does not answer', hang],
    ] as const) {
      it(`cannot tell when Twilio ${name}`, async () => {
        act = () => action;
        const found = await end.provider.find?.(wanted, AbortSignal.timeout(300));
        assert.equal(found?.kind, 'unknown', JSON.stringify(found));
      });
    }
  });
});
