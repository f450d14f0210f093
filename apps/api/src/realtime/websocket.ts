import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from '@belfry/shared/service/log.js';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { type Admission, TOKEN_PROTOCOL } from './admission.js';
import type { Reply } from './client-message.js';
import { CLOSE, type Line } from './line.js';
import type { Streams } from './streams.js';

/** Of one message of a client. */
const LARGEST_BYTES = 64 * 1024;
/** Messages of one client that wait for their turn. */
const MOST_WAITING = 100;
/** Bytes that wait to be read by a client, whoever they are from. */
const MOST_BUFFERED = 1024 * 1024;
/** What a client that does not answer to the closing of its line is given. */
const CLOSING_MS = 2_000;

export interface WebSocketParts {
  readonly streams: Streams;
  readonly admission: Admission;
  readonly hear: (personId: string, text: string) => Promise<Reply>;
  readonly log: Logger;
}

/**
 * Turns a request into a WebSocket (RFC 6455) with the stream of whoever its token names. Throws `Refusal` before the answer;
 * a handshake that is no good is answered by the library.
 */
export function createWebSockets({ streams, admission, hear, log }: WebSocketParts) {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: LARGEST_BYTES,
    perMessageDeflate: false,
    // A browser that offered protocols gives up unless one of them is taken.
    handleProtocols: (offered) => [...offered].find((one) => one.startsWith(TOKEN_PROTOCOL)) ?? false,
  });

  return async (req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const { caller, since } = await admission(req);
    const place = await streams.take(caller, 'websocket', since);
    let opened = false;
    server.handleUpgrade(req, socket, head, (ws) => {
      opened = true;
      const line = lineOf(ws);
      ws.on('error', () => undefined); // a broken frame, or a broken connection: the close that follows says it
      ws.once('close', () => streams.end(line, 'left'));
      streams.begin(place, line);
      listen(ws, line, caller.sub);
    });
    // The handshake was not good, or the client has left meanwhile.
    if (!opened) streams.giveBack(place);
  };

  /** One message after the other, in their order. */
  function listen(ws: WebSocket, line: Line, personId: string): void {
    let waiting = 0;
    let last = Promise.resolve();
    ws.on('message', (data: RawData, binary: boolean) => {
      if (ws.readyState !== ws.OPEN) return;
      if (binary) return ws.close(1003, 'text only');
      // It asks and asks, and does not read what it is answered.
      if (ws.bufferedAmount > MOST_BUFFERED) return streams.end(line, 'slow');
      if (waiting >= MOST_WAITING) return streams.end(line, 'misused');
      waiting += 1;
      last = last.then(async () => {
        try {
          const reply = await hear(personId, data.toString());
          if (reply !== null) line.send(JSON.stringify(reply), null, () => undefined);
        } catch (error) {
          log.error({ err: error }, 'a message on a WebSocket failed');
          ws.close(1011, 'something went wrong inside');
        } finally {
          waiting -= 1;
        }
      });
    });
  }
}

function lineOf(ws: WebSocket): Line {
  let heardAt = performance.now();
  const heard = () => {
    heardAt = performance.now();
  };
  ws.on('pong', heard);
  ws.on('ping', heard);
  ws.on('message', heard);
  return {
    transport: 'websocket',
    send(json, _id, taken) {
      if (ws.readyState === ws.OPEN) ws.send(json, taken);
    },
    beat() {
      if (ws.readyState === ws.OPEN) ws.ping();
    },
    heardAt: () => heardAt,
    close(reason) {
      if (ws.readyState === ws.CLOSED) return;
      ws.close(...CLOSE[reason]);
      // One that reads nothing does not read this either.
      setTimeout(() => ws.terminate(), CLOSING_MS).unref();
    },
  };
}
