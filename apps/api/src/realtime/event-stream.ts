import type { ServerResponse } from 'node:http';
import type { StreamEnd } from '@belfry/shared/service/events.js';
import type { RequestHandler } from 'express';
import { onceGone } from '../middleware/gone.js';
import { goesOn } from '../middleware/observe.js';
import { type Admission, isListed } from './admission.js';
import { comeBackMs, type Line } from './line.js';
import type { Streams } from './streams.js';

export interface EventStreamParts {
  readonly streams: Streams;
  readonly admission: Admission;
  /** Other origins whose pages may read the stream. */
  readonly origins: readonly string[] | undefined;
}

/** When stopping: what a client that does not read is given. */
const CLOSING_MS = 1_000;

/** Nothing else is heard of a client: its system answers, or the connection ends. */
const KEEP_ALIVE_MS = 30_000;

/** Answers with the stream of whoever the token names, as server-sent events (WHATWG HTML §9.2). It ends with the client. */
export function eventStream({ streams, admission, origins }: EventStreamParts): RequestHandler {
  return async (req, res) => {
    const { origin } = req.headers;
    if (origin !== undefined && isListed(origin, origins)) {
      res.setHeader('Access-Control-Allow-Origin', origin);
      res.setHeader('Vary', 'Origin');
    }
    const { caller, since } = await admission(req);
    const headers = {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store, no-transform',
      // Proxies would keep it until there is enough of it.
      'X-Accel-Buffering': 'no',
    };
    if (req.method === 'HEAD') {
      res.writeHead(200, headers).end();
      return;
    }
    const place = await streams.take(caller, 'sse', since);
    if (res.closed || req.socket.destroyed) {
      streams.giveBack(place);
      return;
    }
    req.socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const line = lineOf(res);
    onceGone(req, res, () => streams.end(line, 'left'));
    res.on('error', () => undefined);
    res.writeHead(200, headers);
    goesOn(res);
    // The first bytes: whatever stands between us and the client sees that this has begun.
    res.write(`retry: ${comeBackMs()}\n: welcome\n\n`);
    streams.begin(place, line);
  };
}

/** What a client is told before its stream ends; when nothing is said it comes back by itself. */
const LAST_WORDS: Partial<Record<StreamEnd, string>> = {
  expired: '{"type":"expired"}',
  disconnected: '{"type":"disconnected"}',
};

function lineOf(res: ServerResponse): Line {
  return {
    transport: 'sse',
    send(json, id, taken) {
      if (!res.writableEnded) res.write(`${id === null ? '' : `id: ${id}\n`}data: ${json}\n\n`, taken);
    },
    beat() {
      if (!res.writableEnded) res.write(': here\n\n');
    },
    heardAt: () => null,
    close(reason) {
      if (res.writableEnded) return;
      const words = LAST_WORDS[reason];
      res.end(words === undefined ? `retry: ${comeBackMs()}\n\n` : `data: ${words}\n\n`);
      setTimeout(() => res.destroy(), CLOSING_MS).unref();
    },
  };
}
