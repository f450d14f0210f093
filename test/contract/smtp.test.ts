import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { bySmtpReply, type SmtpStage } from '@belfry/channels/classify.js';
import type { Provider } from '@belfry/channels/provider.js';
import { simpleParser } from 'mailparser';
import { waitFor } from '../support/wait.js';
import {
  reset,
  type SmtpScript,
  say,
  smtp,
  startTls,
  type WireServer,
  wireServer,
} from '../support/wire-server.js';
import { connect, mail } from './smtp-subject.js';

type Step = 'greeting' | 'EHLO' | 'AUTH' | 'MAIL' | 'RCPT' | 'DATA' | 'message';
const STEPS: Readonly<Record<Step, SmtpStage>> = {
  greeting: 'session',
  EHLO: 'session',
  AUTH: 'session',
  MAIL: 'sender',
  RCPT: 'message',
  DATA: 'message',
  message: 'message',
};

describe('SMTP', () => {
  let script: SmtpScript = {};
  let server: WireServer;
  let provider: Provider<'email'>;
  before(async () => {
    server = await wireServer(smtp(() => script));
    provider = await connect(server, true);
  });
  after(async () => {
    await provider.close();
    await server.close();
  });

  const send = (message = mail()) => provider.send(message, AbortSignal.timeout(5_000));

  for (const [step, stage] of Object.entries(STEPS) as [Step, SmtpStage][]) {
    it(`judges every reply from 400 to 599 at ${step} by the table`, async () => {
      for (let code = 400; code < 600; code++) {
        const reply = `${code} go away`;
        // A connection of its own each time, or a greeting would be heard only once.
        script = { [step]: say(`${reply}\r\n`), ...(step === 'message' ? {} : { message: reset }) };
        const fresh =
          step === 'greeting' || step === 'EHLO' || step === 'AUTH' ? await connect(server, true) : provider;
        const outcome = await fresh.send(mail(), AbortSignal.timeout(5_000));
        const table = bySmtpReply(reply, stage);
        // The mail library forgets what a 421 said that ends a kept connection; it still is a `retry`.
        if (code === 421) assert.equal(outcome.kind, table?.kind);
        else assert.deepEqual(outcome, table, `${reply} at ${step}`);
        if (fresh !== provider) await fresh.close();
      }
    });
  }

  for (const [reply, kind, code] of [
    ['250 2.0.0 queued as 4711', 'sent', '250'],
    ['251 will forward', 'sent', '251'],
    ['421 4.3.2 going down', 'retry', '421 4.3.2'],
    ['450 busy', 'retry', '450'],
    ['451 4.3.0 later', 'retry', '451 4.3.0'],
    ['452 4.2.2 full', 'retry', '452 4.2.2'],
    ['450 4.7.28 flood', 'throttled', '450 4.7.28'],
    ['550 5.1.1 no such user', 'rejected', '550 5.1.1'],
    ['550 5.7.26 dmarc', 'misconfigured', '550 5.7.26'],
    ['552 5.2.2 full', 'retry', '552 5.2.2'],
    ['552 5.3.4 too big', 'rejected', '552 5.3.4'],
    ['553 no', 'rejected', '553'],
    ['554 5.7.1 spam', 'rejected', '554 5.7.1'],
    ['535 5.7.8 who', 'misconfigured', '535 5.7.8'],
    ['550-5.1.1 first line\r\n550 5.1.1 second line', 'rejected', '550 5.1.1'],
  ] as const) {
    it(`says ${kind} with code ${code} to "${reply.split('\r')[0]}" after the message`, async () => {
      script = { message: say(`${reply}\r\n`) };
      const outcome = await send();
      assert.deepEqual([outcome.kind, outcome.code], [kind, code]);
    });
  }

  it('keeps an address of no use from being used again', async () => {
    script = { RCPT: say('550 5.1.1 abebe.kebede@reader.example unknown\r\n') };
    const outcome = await send();
    assert.deepEqual(outcome, {
      kind: 'rejected',
      code: '550 5.1.1',
      error: 'There is no such mailbox.',
      suppress: true,
    });
  });

  it('sends the same Message-ID, Date and delivery id on each attempt', async () => {
    const message = mail();
    const seen: string[] = [];
    for (const reply of ['451 later', '250 ok']) {
      script = { message: say(`${reply}\r\n`), onMessage: (source) => seen.push(source) };
      await send(message);
    }
    const [first, second] = await Promise.all(seen.map((source) => simpleParser(source)));
    assert.equal(first?.messageId, `<${message.deliveryId}@sender.example>`);
    assert.equal(second?.messageId, first?.messageId);
    assert.equal(first?.headers.get('x-belfry-delivery'), message.deliveryId);
    assert.equal(first?.headers.get('auto-submitted'), 'auto-generated');
    assert.deepEqual(second?.date, message.firstAttemptAt);
  });

  it('goes on over the same connection after a refusal', async () => {
    script = {};
    await send();
    const opened = server.connections();
    script = { RCPT: say('550 5.1.1 no\r\n') };
    assert.equal((await send()).kind, 'rejected');
    script = {};
    assert.equal((await send()).kind, 'sent');
    assert.equal(server.connections(), opened);
  });

  it('keeps to the reply that mattered when the server takes commands in one go', async () => {
    script = {
      EHLO: say('250-wire.test\r\n250 PIPELINING\r\n'),
      RCPT: say('550 5.1.1 no such user\r\n'),
      DATA: say('554 5.5.1 no valid recipients\r\n'),
    };
    const piping = await connect(server);
    assert.equal((await piping.send(mail(), AbortSignal.timeout(5_000))).code, '550 5.1.1');
    script = { EHLO: script.EHLO ?? reset };
    assert.equal((await piping.send(mail(), AbortSignal.timeout(5_000))).kind, 'sent');
    await piping.close();
  });

  it('does not log in or send over a line that should be encrypted and is not', async () => {
    script = { onMessage: () => assert.fail('sent in the clear') };
    const strict = await connect({ ...server }, true, 'smtps');
    const outcome = await strict.send(mail(), AbortSignal.timeout(2_000));
    assert.equal(outcome.kind, 'retry');
    await strict.close();
  });

  it('gives up when the certificate after STARTTLS is of the server’s own making', async () => {
    script = {
      EHLO: say('250-wire.test\r\n250 STARTTLS\r\n'),
      STARTTLS: startTls,
      MAIL: () => assert.fail('went on in the clear'),
    };
    const careful = await connect(server, true);
    const outcome = await careful.send(mail(), AbortSignal.timeout(5_000));
    assert.deepEqual([outcome.kind, outcome.code], ['retry', 'DEPTH_ZERO_SELF_SIGNED_CERT']);
    await careful.close();
  });

  it('gives up when STARTTLS is offered and refused', async () => {
    script = {
      EHLO: say('250-wire.test\r\n250 STARTTLS\r\n'),
      STARTTLS: say('454 4.7.0 not now\r\n'),
      MAIL: () => assert.fail('went on in the clear'),
    };
    const careful = await connect(server, true);
    const outcome = await careful.send(mail(), AbortSignal.timeout(5_000));
    assert.deepEqual([outcome.kind, outcome.code], ['retry', '454 4.7.0']);
    await careful.close();
  });

  for (const [concurrency, sends, connections] of [
    [30, 30, 30],
    [3, 30, 3],
    [1_000, 101, 100],
    [0, 2, 1],
  ] as const) {
    it(`has ${connections} connections for ${sends} messages when it is given ${concurrency} at once`, async () => {
      const held: Socket[] = [];
      const letGo = (socket: Socket) => socket.write('250 taken\r\n');
      let holding = true;
      // Nothing is answered until every connection has a message, so each message needs one of its own.
      script = { message: (socket) => void (holding ? held.push(socket) : letGo(socket)) };
      const fresh = await connect(server, true, 'smtp', { concurrency });
      const before = server.connections();
      const outcomes = Array.from({ length: sends }, () => fresh.send(mail(), AbortSignal.timeout(20_000)));
      await waitFor(() => held.length === connections, { what: `${connections} messages under way` });
      holding = false;
      held.forEach(letGo);
      for (const { kind } of await Promise.all(outcomes)) assert.equal(kind, 'sent');
      assert.equal(server.connections() - before, connections);
      await fresh.close();
    });
  }

  it('says ambiguous only once the final dot is out, however long the message is', async () => {
    const long = mail();
    const big = { ...long, content: { ...long.content, text: 'x'.repeat(3_000_000) } };
    let stalled: () => void = () => {};
    const stall = new Promise<void>((resolve) => {
      stalled = resolve;
    });
    script = {
      DATA: (socket) => {
        socket.write('354 go on\r\n');
        // Stops reading in the middle of the message, so that its end cannot have left.
        socket.once('data', () => {
          socket.pause();
          stalled();
        });
      },
    };
    const fresh = await connect(server, true);
    const calledOff = new AbortController();
    const sending = fresh.send(big, calledOff.signal);
    await stall;
    calledOff.abort();
    assert.equal((await sending).kind, 'retry');
    await fresh.close();
  });
});
