import type { Request, Response } from 'express';
import type { Books } from './books.js';
import { summaryOf } from './summary.js';

const KEEP_ALIVE_MS = 15_000;
const MOST_BUFFERED = 1_048_576;
const MOST_CAUGHT_UP = 1_000;

/**
 * `GET /messages/stream` (SSE): `message` with a summary whenever one arrives, `cleared`, and `faults` when the book
 * changes. A client that comes back with `Last-Event-ID` gets what it missed. One that does not read is let go.
 */
export function streamEvents({ recorder, faults }: Books, req: Request, res: Response): void {
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  send('retry: 1000\n\n');
  const seen = Number(req.get('last-event-id'));
  if (Number.isSafeInteger(seen) && seen > 0)
    for (const message of recorder.find({ after: seen, limit: MOST_CAUGHT_UP })) onMessage(message);

  const timer = setInterval(() => send(': still here\n\n'), KEEP_ALIVE_MS);
  recorder.on('message', onMessage);
  recorder.on('cleared', onCleared);
  faults.on('changed', onFaults);
  res.once('close', () => {
    clearInterval(timer);
    recorder.off('message', onMessage);
    recorder.off('cleared', onCleared);
    faults.off('changed', onFaults);
  });

  function onMessage(message: Parameters<typeof summaryOf>[0]): void {
    send(`id: ${message.id}\nevent: message\ndata: ${JSON.stringify(summaryOf(message))}\n\n`);
  }

  function onCleared(): void {
    send('event: cleared\ndata: {}\n\n');
  }

  function onFaults(): void {
    send('event: faults\ndata: {}\n\n');
  }

  function send(text: string): void {
    if (res.writableLength > MOST_BUFFERED) res.destroy();
    else res.write(text);
  }
}
