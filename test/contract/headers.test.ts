import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { smtp as definition } from '@belfry/channels/email/smtp.js';
import { smtpSettings } from '@belfry/channels/email/smtp-settings.js';
import type { Provider } from '@belfry/channels/provider.js';
import { simpleParser } from 'mailparser';
import { smtp, type WireServer, wireServer } from '../support/wire-server.js';
import { mail } from './smtp-subject.js';
import { create } from './subject.js';

/** Every header that Belfry's mail has, and no other. */
const HEADERS = [
  'auto-submitted',
  'content-type',
  'date',
  'from',
  'message-id',
  'mime-version',
  'subject',
  'to',
  'x-belfry-delivery',
];

const BCC = 'Bcc: victim@evil.example';
const SUBJECTS = [
  `Hi\r\n${BCC}`,
  `Hi\n${BCC}`,
  `Hi\r${BCC}`,
  `Hi\r\n ${BCC}`,
  `Hi\r\n\r\n<script>alert(1)</script>`,
  `Hi\0${BCC}`,
  `Hi\u2028${BCC}`,
  `Hi\u2029${BCC}`,
  `Hi\u0085${BCC}`,
  `Hi\v${BCC}`,
  `Hi\f${BCC}`,
  `Hi%0d%0a${BCC}`,
  `=?UTF-8?Q?Hi=0D=0A${BCC.replaceAll(' ', '_')}?=`,
  `Hi 嘊${BCC}`,
  '"; <b>&',
  'x'.repeat(3_000),
  'ሰላም '.repeat(300),
  '',
];
const ADDRESSES = [
  `a@reader.example\r\n${BCC}`,
  `a@reader.example\n${BCC}`,
  'a@reader.example\r\nRCPT TO:<victim@evil.example>',
  'a@reader.example>\r\nDATA',
  'a@reader.example> SIZE=1',
  'a@reader.example,victim@evil.example',
  'a@reader.example;victim@evil.example',
  'Group: victim@evil.example;',
  'a@reader.example (c) <victim@evil.example>',
  '"victim@evil.example\r\n"@reader.example',
  '"victim@evil.example, "@reader.example',
  'victim@evil.example@reader.example',
  'a\0@reader.example',
  'a b@reader.example',
  '<victim@evil.example>',
  'a@[127.0.0.1]',
  '@reader.example',
  'a@',
  '',
  `${'a'.repeat(300)}@reader.example`,
];
const SENDERS = [
  `Belfry\r\n${BCC} <a@sender.example>`,
  `Belfry\n${BCC} <a@sender.example>`,
  `Belfry <a@sender.example>\r\n${BCC}`,
  'Belfry <a@sender.example>, Evil <victim@evil.example>',
  'Belfry <a@sender.example\0>',
  'Belfry',
  '<>',
];

describe('mail headers', () => {
  const sources: string[] = [];
  let server: WireServer;
  let provider: Provider<'email'>;
  before(async () => {
    server = await wireServer(smtp(() => ({ onMessage: (source) => sources.push(source) })));
    provider = await create(definition, {
      SMTP_URL: `smtp://localhost:${server.port}`,
      MAIL_FROM: 'a@sender.example',
    });
  });
  after(async () => {
    await provider.close();
    await server.close();
  });

  for (const subject of SUBJECTS) {
    it(`cannot be added to through the subject ${JSON.stringify(subject.slice(0, 40))}`, async () => {
      const message = mail();
      sources.length = 0;
      const content = { ...message.content, subject };
      const outcome = await provider.send({ ...message, content }, AbortSignal.timeout(5_000));
      if (outcome.kind === 'rejected') return assert.equal(sources.length, 0);
      assert.equal(outcome.kind, 'sent');
      const parsed = await simpleParser(sources[0] ?? '');
      assert.deepEqual(
        [...parsed.headers.keys()].sort(),
        subject === '' ? HEADERS.filter((h) => h !== 'subject') : HEADERS,
      );
      assert.equal(parsed.text?.trim(), content.text);
      assert.ok((sources[0] ?? '').split('\r\n').every((line) => line.length <= 998));
      return undefined;
    });
  }

  for (const to of ADDRESSES) {
    it(`cannot be added to through the address ${JSON.stringify(to.slice(0, 60))}`, async () => {
      sources.length = 0;
      const outcome = await provider.send(mail(to), AbortSignal.timeout(5_000));
      assert.deepEqual([outcome.kind, outcome.code, sources.length], ['rejected', 'invalid-address', 0]);
    });
  }

  for (const sender of SENDERS) {
    it(`cannot be added to through the sender ${JSON.stringify(sender)}`, () => {
      const parsed = smtpSettings.safeParse({ SMTP_URL: 'smtp://localhost', MAIL_FROM: sender });
      assert.equal(parsed.success, false);
    });
  }

  it('carry a name of the sender in any script, quoted by the library', async () => {
    sources.length = 0;
    const named = await create(definition, {
      SMTP_URL: `smtp://localhost:${server.port}`,
      MAIL_FROM: 'ቤልፍሪ, "the" bell; <no-reply@sender.example>',
    });
    assert.equal((await named.send(mail(), AbortSignal.timeout(5_000))).kind, 'sent');
    const parsed = await simpleParser(sources[0] ?? '');
    assert.deepEqual(parsed.from?.value, [{ name: 'ቤልፍሪ, "the" bell;', address: 'no-reply@sender.example' }]);
    await named.close();
  });
});
