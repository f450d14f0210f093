import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { byWebhookStatus } from '@belfry/channels/classify.js';
import { parseSettings } from '@belfry/channels/providers.js';
import { webhook as definition } from '@belfry/channels/webhook/webhook.js';
import { isWebhookSecret, webhookSecretOf } from '@belfry/shared/domain/webhook-secret.js';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { type Action, answer, hang, http, type WireRequest, wireServer } from '../support/wire-server.js';
import { create } from './subject.js';
import { connect, note, SECRET } from './webhook-subject.js';
import { withProvider } from './with-provider.js';

const OLD = `whsec_${Buffer.from('the-secret-before-the-rotation!!').toString('base64')}`;
const YES = answer(200);

/** The headers of a request by their small names. */
function headersOf({ head }: WireRequest): Record<string, string> {
  const lines = head.split('\r\n').slice(1);
  return Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
}

describe('a webhook', () => {
  let act: (request: WireRequest) => Action = () => hang;
  const end = withProvider(
    (server) => connect(server),
    (request) => act(request),
  );
  const send = (message = note()) => end.provider.send(message, AbortSignal.timeout(5_000));
  /** What arrives of one message that is taken. */
  async function arrived(message = note(), by = end.provider): Promise<WireRequest> {
    let seen: WireRequest | undefined;
    act = (request) => {
      seen = request;
      return YES;
    };
    assert.equal((await by.send(message, AbortSignal.timeout(5_000))).kind, 'sent');
    assert.ok(seen);
    return seen;
  }

  it('is what the standard library of its receiver takes for genuine', async () => {
    const message = note();
    const request = await arrived(message);
    assert.equal(`${request.method} ${request.path}`, 'POST /hook?key=canary-url');
    const headers = headersOf(request);
    assert.equal(headers['webhook-id'], message.deliveryId);
    assert.equal(headers['content-type'], 'application/json');
    const receiver = new Webhook(webhookSecretOf(SECRET, 'abebe'));
    assert.deepEqual(receiver.verify(request.body, headers), {
      type: 'payment_success',
      timestamp: '2026-03-01T10:00:00.000Z',
      data: {
        notification_id: message.notificationId,
        delivery_id: message.deliveryId,
        user_id: 'abebe',
        title: 'canary-title',
        body: 'canary-body: rent received',
        type: 'payment_success',
        data: { amount: 12_500 },
      },
    });
    assert.throws(() => receiver.verify(request.body.replace('12500', '99999'), headers));
    assert.throws(() => receiver.verify(request.body, { ...headers, 'webhook-id': 'another' }));
    assert.throws(() => receiver.verify(request.body, { ...headers, 'webhook-timestamp': '1700000000' }));
  });

  it('cannot be checked, and so not be made, with the secret of another person or of the installation', async () => {
    const request = await arrived();
    for (const secret of [webhookSecretOf(SECRET, 'chaltu'), webhookSecretOf(OLD, 'abebe'), SECRET])
      assert.throws(() => new Webhook(secret).verify(request.body, headersOf(request)));
  });

  it('has two signatures while secrets are rotated, one for each', async () => {
    const both = await create(definition, {
      WEBHOOK_SECRETS: `${SECRET} ${OLD}`,
      WEBHOOK_ALLOW_HTTP: 'listed',
      WEBHOOK_ALLOW_ADDRESSES: `127.0.0.1:${end.server.port}`,
    });
    const request = await arrived(note(`http://127.0.0.1:${end.server.port}/`), both);
    await both.close();
    const headers = headersOf(request);
    assert.match(headers['webhook-signature'] ?? '', /^v1,\S+ v1,\S+$/);
    for (const secret of [SECRET, OLD])
      assert.ok(new Webhook(webhookSecretOf(secret, 'abebe')).verify(request.body, headers));
  });

  it('has the same id and the same body in every attempt', async () => {
    const seen: WireRequest[] = [];
    let deadline = new AbortController();
    act = (request) => {
      seen.push(request);
      deadline.abort(new DOMException('The deadline has passed', 'TimeoutError'));
      return hang;
    };
    const message = note();
    for (let attempt = 0; attempt < 2; attempt++) {
      deadline = new AbortController();
      const outcome = await end.provider.send(message, deadline.signal);
      assert.deepEqual([outcome.kind, outcome.code], ['ambiguous', 'timeout']);
    }
    const [first, second] = seen;
    assert.ok(first && second);
    assert.equal(first.body, second.body);
    assert.equal(headersOf(first)['webhook-id'], headersOf(second)['webhook-id']);
  });

  it('that is answered with any status from 200 to 599 ends as the table says', async () => {
    for (let status = 200; status < 600; status++) {
      act = () => answer(status, '<html>canary-text</html>');
      assert.deepEqual(await send(), byWebhookStatus(status), String(status));
    }
  });

  it('is never blamed on the settings: what a receiver answers is its own affair', () => {
    const kinds: Record<string, number[]> = {
      sent: [200, 201, 202, 204, 299],
      retry: [301, 302, 307, 308, 401, 402, 403, 404, 405, 407, 408, 409, 425, 426, 500, 502, 503, 511],
      rejected: [400, 410, 413, 415, 422],
      throttled: [429],
      ambiguous: [100, 504],
    };
    for (const [kind, statuses] of Object.entries(kinds))
      for (const status of statuses) assert.equal(byWebhookStatus(status).kind, kind, String(status));
    fc.assert(
      fc.property(fc.integer({ min: -1, max: 700 }), (status) => {
        assert.notEqual(byWebhookStatus(status).kind, 'misconfigured');
      }),
    );
  });

  it('that is answered with 410 was the last one to that address', () => {
    assert.ok('suppress' in byWebhookStatus(410));
    assert.ok(!('suppress' in byWebhookStatus(404)));
  });

  it('waits as long as its receiver asks, an hour at most', async () => {
    act = () => answer(429, '', { 'Retry-After': '7' });
    const outcome = await send();
    assert.equal('afterMs' in outcome && outcome.afterMs, 7_000);
  });

  it('does not follow a redirect', async () => {
    const elsewhere = await wireServer(http(() => YES));
    for (const status of [301, 302, 303, 307, 308]) {
      act = () => answer(status, '', { Location: `http://localhost:${elsewhere.port}/` });
      assert.equal((await send()).kind, 'retry');
    }
    assert.equal(elsewhere.connections(), 0);
    await elsewhere.close();
  });

  it('is never taken as delivered by a status from 100 to 199', async () => {
    for (let status = 100; status < 200; status++) {
      const calledOff = new AbortController();
      act = () => (socket) => {
        answer(status)(socket);
        calledOff.abort();
      };
      const outcome = await end.provider.send(note(), calledOff.signal);
      assert.equal(outcome.kind, 'ambiguous', `${status}: ${JSON.stringify(outcome)}`);
    }
  });

  it('to a receiver that hangs leaves room for those to others', async () => {
    const hanging = await wireServer(http(() => hang));
    const few = await create(
      definition,
      { WEBHOOK_SECRETS: SECRET, WEBHOOK_ALLOW_HTTP: 'listed', WEBHOOK_ALLOW_ADDRESSES: '127.0.0.1' },
      undefined,
      { concurrency: 8 },
    );
    const calledOff = new AbortController();
    const sends = Array.from({ length: 8 }, () =>
      few.send(note(`http://127.0.0.1:${hanging.port}/`), calledOff.signal),
    );
    act = () => YES;
    const other = await few.send(note(`http://127.0.0.1:${end.server.port}/`), AbortSignal.timeout(5_000));
    assert.equal(other.kind, 'sent');
    // Six of the eight come back by themselves while the receiver still hangs.
    const aside: string[] = [];
    await Promise.race([
      Promise.all(sends),
      new Promise<void>((resolve) => {
        for (const one of sends)
          void one.then(({ kind, code }) => {
            aside.push(`${kind} ${code}`);
            if (aside.length === 6) resolve();
          });
      }),
    ]);
    assert.deepEqual(aside, Array(6).fill('throttled receiver-busy'));
    assert.equal(hanging.connections(), 2);
    calledOff.abort();
    const all = await Promise.all(sends);
    assert.equal(all.filter(({ kind }) => kind === 'ambiguous').length, 2);
    await few.close();
    await hanging.close();
  });

  it('that waits for a connection ends with its signal', async () => {
    const hanging = await wireServer(http(() => hang));
    const one = await connect(hanging, 'http', { concurrency: 1 });
    const calledOff = new AbortController();
    const sends = Array.from({ length: 4 }, () => one.send(note(), calledOff.signal));
    calledOff.abort();
    const kinds = (await Promise.all(sends)).map(({ kind }) => kind);
    assert.deepEqual(kinds.slice(2), ['retry', 'retry'], 'they never left');
    await one.close();
    await hanging.close();
  });
});

describe('the settings of webhooks', () => {
  const complaints = (env: Record<string, string>) => {
    const parsed = parseSettings({ WEBHOOK_SECRETS: SECRET, ...env });
    return parsed.ok ? [] : parsed.problems.map(({ setting }) => setting);
  };
  const size = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`;

  it('take one secret, or two while they are rotated', () => {
    for (const good of [SECRET, `${SECRET} ${OLD}`, `${SECRET},${OLD}`, ` ${SECRET}\n`, size(24), size(64)])
      assert.deepEqual(complaints({ WEBHOOK_SECRETS: good }), [], good);
    for (const bad of [
      `${SECRET} ${OLD} ${OLD}`,
      'whsec_',
      SECRET.slice(6),
      size(23),
      size(65),
      `${SECRET}!`,
      ',',
    ])
      assert.deepEqual(complaints({ WEBHOOK_SECRETS: bad }), ['WEBHOOK_SECRETS'], bad);
  });

  it('take addresses and ranges that may be reached', () => {
    for (const good of [
      '10.1.2.3',
      '10.0.0.0/8 fd00::/8',
      '[::1]:3001,127.0.0.1:80',
      '[fd00::/8]:443',
      '::1',
    ])
      assert.deepEqual(complaints({ WEBHOOK_ALLOW_ADDRESSES: good }), [], good);
    for (const bad of [
      'localhost',
      '10.0.0.0/33',
      '10.1',
      '0x7f.0.0.1',
      '10.0.0.1:0',
      '10.0.0.1:99999',
      '1.2.3.4/8/8',
      '::1%lo',
      '[::1',
      'fd00::/129',
    ])
      assert.deepEqual(complaints({ WEBHOOK_ALLOW_ADDRESSES: bad }), ['WEBHOOK_ALLOW_ADDRESSES'], bad);
    assert.deepEqual(complaints({ WEBHOOK_ALLOW_HTTP: 'yes' }), ['WEBHOOK_ALLOW_HTTP']);
  });

  it('give every person a secret of their own, always the same', () => {
    const people = Array.from({ length: 1_000 }, (_, index) => webhookSecretOf(SECRET, `person-${index}`));
    assert.equal(new Set(people).size, 1_000);
    assert.ok(people.every(isWebhookSecret));
    assert.equal(webhookSecretOf(SECRET, 'abebe'), webhookSecretOf(SECRET, 'abebe'));
  });
});
