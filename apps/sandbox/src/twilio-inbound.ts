import { createHmac, randomUUID } from 'node:crypto';
import { json, Router } from 'express';
import { z } from 'zod';
import { accept, type Books } from './books.js';
import { segments } from './twilio-json.js';

/** Where answers of telephones are handed over, as it is set for a number in the Twilio console. */
export interface SmsWebhook {
  readonly url: string;
  /** What they are signed with. */
  readonly authToken: string;
}

const ANSWER_MS = 15_000;
const ACCOUNT = `AC${'0'.repeat(32)}`;
const NUMBER = '+15005550006';

const webhookSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  auth_token: z.string().min(1).max(256),
});
const replySchema = z.strictObject({
  from: z.string().regex(/^\+[1-9]\d{6,14}$/, 'must be a number such as +251911234567'),
  text: z.string().min(1).max(1_600),
  /** The id of an earlier one: the same message once more, as a webhook that is repeated brings it. */
  message_sid: z.string().max(64).optional(),
});

/** Telephones that answer: what they say is signed and handed over as Twilio does it, and what is said back arrives on them. */
export function twilioInboundRoutes(books: Books, first: SmsWebhook | undefined): Router {
  const routes = Router();
  const body = json({ limit: '64kb' });
  let webhook = first;

  routes.get('/sms/webhook', (_req, res) => void res.json({ url: webhook?.url ?? null }));
  routes.put('/sms/webhook', body, (req, res) => {
    const { url, auth_token } = webhookSchema.parse(req.body);
    webhook = { url, authToken: auth_token };
    res.json({ url });
  });

  routes.post('/sms/replies', body, async (req, res) => {
    const { from, text, message_sid } = replySchema.parse(req.body);
    if (webhook === undefined) {
      const detail = 'Nobody is told of answers: set SANDBOX_SMS_WEBHOOK, or PUT /sms/webhook.';
      return void res
        .status(409)
        .type('application/problem+json')
        .send(JSON.stringify({ status: 409, detail }));
    }
    const to = books.recorder.find({ channel: 'sms', to: from }).at(-1)?.from || NUMBER;
    const sid = message_sid ?? `SM${randomUUID().replaceAll('-', '')}`;
    const { status, said } = await handOver(webhook, {
      MessageSid: sid,
      SmsMessageSid: sid,
      AccountSid: ACCOUNT,
      From: from,
      To: to,
      Body: text,
      NumMedia: '0',
      NumSegments: String(segments(text)),
      ApiVersion: '2010-04-01',
    });
    for (const one of said) arrive(books, from, to, one);
    res.json({ status, message_sid: sid, said });
  });
  return routes;
}

/** The signature of Twilio: an HMAC-SHA1 over the address and every field, in the order of the names. */
export function signatureOf({ url, authToken }: SmsWebhook, form: Readonly<Record<string, string>>): string {
  const fields = Object.keys(form)
    .sort()
    .map((name) => name + form[name]);
  return createHmac('sha1', authToken)
    .update(url + fields.join(''))
    .digest('base64');
}

async function handOver(
  webhook: SmsWebhook,
  form: Readonly<Record<string, string>>,
): Promise<{ status: number | null; said: string[] }> {
  try {
    const response = await fetch(webhook.url, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_MS),
      headers: { 'x-twilio-signature': signatureOf(webhook, form) },
      body: new URLSearchParams(form),
    });
    const answer = await response.text();
    return { status: response.status, said: response.ok ? saidIn(answer) : [] };
  } catch {
    return { status: null, said: [] };
  }
}

/** The messages of TwiML. */
function saidIn(twiml: string): string[] {
  return [...twiml.matchAll(/<Message>([^<]*)<\/Message>/g)].map(([, text = '']) =>
    text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ENTITIES[name] ?? ''),
  );
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

function arrive(books: Books, to: string, from: string, text: string): void {
  accept(books, {
    channel: 'sms',
    recipients: [to],
    from,
    delivery_id: null,
    text,
    details: {
      sid: `SM${randomUUID().replaceAll('-', '')}`,
      num_segments: String(segments(text)),
      twiml: 'yes',
    },
    raw_size: Buffer.byteLength(text),
  });
}
