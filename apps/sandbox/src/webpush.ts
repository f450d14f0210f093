import { type Request, Router } from 'express';
import { accept, type Books } from './books.js';
import type { FaultAction } from './fault-rule.js';
import { answer, type HttpAnswer } from './http-fault.js';
import type { ArrivedMessage } from './message.js';
import { readPush } from './push-encryption.js';
import { headersOf, noteIn } from './push-note.js';
import type { PushSubscriptions, Subscription } from './push-subscriptions.js';
import { checkVapid } from './vapid.js';

/** Where a subscription of the push service is, with its name behind it. */
export const PUSH_ROOT = '/push';

/** What every push service takes (RFC 8030 §7.2). */
const MOST_BYTES = 4_096;
const URGENCIES = ['very-low', 'low', 'normal', 'high'];

/**
 * A push service as browsers have theirs: takes messages by RFC 8030 from senders that RFC 8292 proves, and reads them as the
 * browser would. What a browser could not read is recorded as well, and says so.
 *
 * @param origin what senders have to sign for.
 */
export function webpushRoutes(books: Books, subscriptions: PushSubscriptions, origin: () => string): Router {
  const routes = Router({ caseSensitive: true });
  routes.post(`${PUSH_ROOT}/:name`, async (req, res) => {
    books.calls.tried('push');
    const { name } = req.params;
    const judged = await judge(req, subscriptions.find(String(name)), origin());
    answer(books, res, {
      provider: 'webpush',
      moment: 'message',
      recipients: [String(name)],
      serve: () => {
        if ('status' in judged) return judged;
        const { id } = accept(books, judged);
        return { status: 201, headers: { location: `${origin()}/message/${id}` }, body: '' };
      },
      fail: failed,
    });
  });
  return routes;
}

async function judge(
  req: Request,
  found: Subscription | 'ended' | 'unknown',
  origin: string,
): Promise<HttpAnswer | ArrivedMessage> {
  const bytes = await bytesOf(req);
  if (found === 'unknown') return refusal(404, 'there is no such subscription');
  if (found === 'ended') return refusal(410, 'the subscription has ended');
  const sender = await checkVapid(req.get('authorization'), origin, found.applicationServerKey);
  if ('status' in sender) return refusal(sender.status, sender.reason);
  if (bytes.length > MOST_BYTES) return refusal(413, `it has more than ${MOST_BYTES} bytes`);
  const wrong = wrongHeader(req, bytes);
  if (wrong !== undefined) return refusal(400, wrong);
  const text = bytes.length === 0 ? '' : readPush(bytes, found)?.toString('utf8');
  if (text === undefined) return refusal(400, 'it cannot be read: it is not encrypted to this subscription');
  return arrivedFrom(req, found, text, bytes.length, sender.subject);
}

/** The body as it is: Express would take its encoding for a compression. Of one that is too long only the beginning is kept. */
async function bytesOf(req: Request): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    if (size <= MOST_BYTES) chunks.push(chunk);
    size += chunk.length;
  }
  return Buffer.concat(chunks);
}

function wrongHeader(req: Request, bytes: Buffer): string | undefined {
  if (!/^\d{1,10}$/.test(req.get('ttl') ?? '')) return 'the header TTL is missing or no number';
  if (!URGENCIES.includes(req.get('urgency') ?? 'normal')) return 'the header Urgency is none';
  if (!/^[\w-]{1,32}$/.test(req.get('topic') ?? 'none')) return 'the header Topic is none';
  if (bytes.length > 0 && req.get('content-encoding') !== 'aes128gcm')
    return 'the header Content-Encoding is not aes128gcm';
  return undefined;
}

function arrivedFrom(
  req: Request,
  { name }: Subscription,
  payload: string,
  size: number,
  subject: string | undefined,
): ArrivedMessage {
  const note = noteIn(payload);
  return {
    channel: 'push',
    recipients: [name],
    from: subject ?? '',
    delivery_id: note.delivery_id ?? null,
    subject: note.title ?? '',
    text: note.body ?? payload,
    headers: headersOf(req),
    details: {
      provider: 'webpush',
      platform: 'web',
      urgency: req.get('urgency') ?? 'normal',
      ttl: req.get('ttl') ?? '',
      topic: req.get('topic') ?? '',
      payload,
    },
    raw_size: size,
  };
}

function failed({ status, body }: Extract<FaultAction, { kind: 'status' }>): HttpAnswer {
  if (body === undefined) return refusal(status, 'the sandbox was told to fail');
  if (typeof body !== 'string') return { status, body: JSON.stringify(body) };
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}

function refusal(status: number, reason: string): HttpAnswer {
  return { status, body: JSON.stringify({ reason }) };
}
