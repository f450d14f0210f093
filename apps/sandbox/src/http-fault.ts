import type { Response } from 'express';
import { type Books, takeFault } from './books.js';
import type { FaultAction, Moment } from './fault-rule.js';
import { SANDBOX_PROVIDERS, type SandboxProvider } from './message.js';

/** An HTTP answer before it is sent. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One request to a provider that speaks HTTP, seen by the faults book. */
export interface HttpOccasion {
  readonly provider: SandboxProvider;
  readonly moment: Extract<Moment, 'message' | 'lookup'>;
  readonly recipients: readonly string[];
  /** Does what was asked (records the message) and gives the true answer. Called at most once. */
  serve(): HttpAnswer;
  /** The provider's usual error body for this status. */
  fail(action: Extract<FaultAction, { kind: 'status' }>): HttpAnswer;
}

/** Answers a request truly, or in the way that the faults book asks for. */
export function answer(books: Books, res: Response, occasion: HttpOccasion): void {
  const channel = SANDBOX_PROVIDERS[occasion.provider];
  const action = takeFault(books, { ...occasion, channel });
  switch (action?.kind) {
    case undefined:
      send(occasion.serve());
      return;
    case 'status':
      send(withRetryAfter(occasion.fail(action), action.retryAfter));
      return;
    case 'hang':
      if (action.at === 'after') occasion.serve();
      return;
    case 'drip':
      drip(res, head(occasion.serve()), action.interval_ms);
      return;
    case 'accept-and-drop':
      occasion.serve();
      res.socket?.destroy();
      return;
    case 'drop':
      res.socket?.destroy();
      return;
    case 'malformed':
      if (action.at === 'after') occasion.serve();
      send({
        status: 200,
        headers: { 'content-type': 'text/html' },
        body: '<!doctype html><p>It works!',
      });
      return;
    case 'delay': {
      const late = occasion.serve();
      setTimeout(() => send(late), action.ms).unref();
      return;
    }
    case 'smtp':
      throw new TypeError('a rule for HTTP cannot hold an SMTP reply');
  }

  function send(ready: HttpAnswer): void {
    if (!res.destroyed) res.end(head(ready));
  }

  function head({ status, headers, body }: HttpAnswer): Buffer {
    books.calls.answered(channel, status);
    const bytes = Buffer.from(body);
    res.status(status).set({ 'content-type': 'application/json; charset=utf-8', ...headers });
    res.set('content-length', String(bytes.length));
    return bytes;
  }
}

function withRetryAfter(ready: HttpAnswer, retryAfter: string | number | undefined): HttpAnswer {
  if (retryAfter === undefined) return ready;
  return { ...ready, headers: { ...ready.headers, 'retry-after': String(retryAfter) } };
}

// The head goes at once and only the body drips: a client that stops its clock at the headers waits for ever.
function drip(res: Response, bytes: Buffer, intervalMs: number): void {
  let sent = 0;
  res.flushHeaders();
  const timer = setInterval(() => {
    res.write(bytes.subarray(sent, sent + 1));
    sent += 1;
    if (sent < bytes.length) return;
    clearInterval(timer);
    res.end();
  }, intervalMs);
  res.once('close', () => clearInterval(timer));
}
