import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Refusal } from '@belfry/shared/domain/refusal.js';

/*
 * How long a request may take to arrive. Node's own limit holds for every request of a server alike; here a route can lift it for a
 * caller it has let in, and puts another one in its place.
 */

/** An ordinary request must be there, to its last byte, after this long. */
const ORDINARY_MS = 30_000;

/** Whatever it sends, a request ends after this long. */
export const LONGEST_MS = 60 * 60_000;

/** The bounds of a body that may take long. */
export interface Patience {
  /** For how long the caller may keep us waiting at one time, and altogether before anything has come. */
  readonly waitMs: number;
  /** What buys a second more. */
  readonly bytesPerSecond: number;
  readonly longestMs: number;
}

const PATIENCE: Patience = { waitMs: 30_000, bytesPerSecond: 4 * 1024, longestMs: LONGEST_MS };

/** The ordinary limit on one request. */
interface Limit {
  start(): void;
  stop(): void;
}

const limits = new WeakMap<IncomingMessage, Limit>();

/**
 * Cuts off whoever has not sent the whole request within 30 s, as a server with `requestTimeout` does: also when the answer is
 * out already, and the rest of the body is only thrown away.
 */
export function limitArrival(server: Server, ms = ORDINARY_MS): void {
  server.prependListener('request', (req: IncomingMessage, res: ServerResponse) => {
    let timer: NodeJS.Timeout | undefined;
    const cut = () => {
      if (req.complete) return;
      if (!res.headersSent) req.socket.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n');
      req.socket.destroy();
    };
    const limit: Limit = {
      start() {
        if (!req.complete && !req.destroyed) timer = setTimeout(cut, ms);
      },
      stop: () => clearTimeout(timer),
    };
    limit.start();
    req.once('close', limit.stop);
    limits.set(req, limit);
  });
}

/**
 * The body as it comes, for a route that takes long ones. The caller may have kept us waiting 30 s altogether, and a second
 * more for every 4 KB that have come, never more than 30 s at one time; the request ends after an hour. Time in which we were
 * busy and did not read is not the caller's. When the body is left before its end, the ordinary limit holds for the rest of it,
 * which is thrown away.
 *
 * Throws `Refusal`: 408 when it is too slow, 422 when the connection breaks.
 */
export async function* arriving(
  req: IncomingMessage,
  { waitMs, bytesPerSecond, longestMs }: Patience = PATIENCE,
): AsyncGenerator<Buffer, void> {
  const limit = limits.get(req);
  limit?.stop();
  const chunks = req.iterator({ destroyOnReturn: false });
  const endsAt = performance.now() + longestMs;
  let patience = waitMs;
  try {
    for (;;) {
      const asked = performance.now();
      const next = await inTime(chunks.next(), Math.min(patience, waitMs, endsAt - asked));
      if (next.done === true) return;
      const chunk: Buffer = next.value;
      patience += (chunk.length / bytesPerSecond) * 1_000 - (performance.now() - asked);
      yield chunk;
    }
  } finally {
    limit?.start();
  }
}

async function inTime<Result>(work: Promise<Result>, ms: number): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooSlow()), ms);
  });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw notWhole(error);
  } finally {
    clearTimeout(timer);
  }
}

export function tooSlow(): Refusal {
  return new Refusal('too_slow', 'The body arrives too slowly.');
}

export function notWhole(cause?: unknown): Refusal {
  return new Refusal('invalid', 'The body did not arrive whole.', { reason: 'incomplete_body', cause });
}
