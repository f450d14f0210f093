import { type Request, Router, raw } from 'express';
import { accept, type Books } from './books.js';
import type { FaultAction } from './fault-rule.js';
import { answer, type HttpAnswer } from './http-fault.js';
import type { ArrivedMessage } from './message.js';

/** Everything below is somebody's receiver. */
export const WEBHOOK_ROOT = '/webhook';

const LARGEST_BODY = '5mb';

/**
 * A receiver of webhooks at every path, for every method. It checks nothing and shows all: what is signed, and how, is for the
 * receiver's own code to check.
 */
export function webhookRoutes(books: Books): Router {
  const routes = Router();
  routes.use(raw({ limit: LARGEST_BODY, type: () => true }), (req, res) => {
    books.calls.tried('webhook');
    const arrived = arrivedFrom(req);
    answer(books, res, {
      provider: 'webhook',
      moment: 'message',
      recipients: arrived.recipients,
      serve: () => {
        const { id } = accept(books, arrived);
        return { status: 200, body: JSON.stringify({ received: id }) };
      },
      fail: failed,
    });
  });
  return routes;
}

function arrivedFrom(req: Request): ArrivedMessage {
  const body: unknown = req.body;
  const text = Buffer.isBuffer(body) ? body.toString('utf8') : '';
  const { title, type } = notedIn(text);
  return {
    channel: 'webhook',
    recipients: [WEBHOOK_ROOT + new URL(req.url, 'http://sandbox.invalid').pathname],
    from: req.get('user-agent') ?? '',
    delivery_id: req.get('webhook-id') ?? null,
    subject: title ?? type ?? req.method,
    text,
    headers: headersOf(req),
    details: { method: req.method, ...(type === undefined ? {} : { type }) },
    raw_size: Buffer.byteLength(text),
  };
}

/** What a person would call this one, if it is in the form of Standard Webhooks. */
function notedIn(text: string): { readonly type?: string; readonly title?: string } {
  try {
    const { type, data }: { type?: unknown; data?: unknown } = Object(JSON.parse(text));
    const { title }: { title?: unknown } = Object(data);
    return {
      ...(typeof type === 'string' ? { type } : {}),
      ...(typeof title === 'string' && title !== '' ? { title } : {}),
    };
  } catch {
    return {};
  }
}

function headersOf(req: Request): Record<string, string> {
  return Object.fromEntries(
    Object.entries(req.headers).map(([name, value]) => [name, [value].flat().join('\n')]),
  );
}

function failed(action: Extract<FaultAction, { kind: 'status' }>): HttpAnswer {
  const { status, body } = action;
  if (body === undefined) return { status, body: JSON.stringify({ error: 'The sandbox was told to fail.' }) };
  if (typeof body !== 'string') return { status, body: JSON.stringify(body) };
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}
