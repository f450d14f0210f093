import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { Logger } from '@belfry/shared/service/log.js';
import { asRefusal, setRefusalHeaders } from '../middleware/errors.js';
import { INTERNAL, problemOf } from '../middleware/problem.js';

/** Turns a request into something else than HTTP, or throws. */
type Upgrade = (req: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>;

/** Takes the requests of a server that ask for a WebSocket at `path`; refusals are answered as everywhere else. */
export function acceptUpgrades(server: Server, path: string, upgrade: Upgrade, log: Logger): void {
  server.on('upgrade', (req, socket, head) => {
    socket.on('error', passOver);
    if (req.headers.upgrade?.toLowerCase() !== 'websocket') return serveAnyway(server, req, socket, head);
    const there = URL.parse(req.url ?? '/', 'http://localhost')?.pathname === path;
    const upgraded = there ? upgrade(req, socket, head) : Promise.reject(nothingToUpgrade(req));
    upgraded.catch((error: unknown) => refuse(req, socket, error, log));
  });
}

/**
 * Serves a request that would like to speak something else (`h2c`, which Java's client offers with every call) as if it had
 * not said so, as RFC 9110 §7.8 lets a server do. Once a server takes upgrades, Node.js hands it all of them with nothing
 * but the bare connection: so the connection is given the request once more, without the wish, and begins anew.
 */
function serveAnyway(server: Server, req: IncomingMessage, socket: Duplex, head: Buffer): void {
  if (!(socket instanceof Socket)) return void socket.destroy();
  const lines = [`${req.method} ${req.url} HTTP/${req.httpVersion}`];
  for (let at = 0; at < req.rawHeaders.length; at += 2) {
    const name = req.rawHeaders[at] ?? '';
    if (!WISHES.has(name.toLowerCase())) lines.push(`${name}: ${req.rawHeaders[at + 1]}`);
  }
  // The next request of this connection may wish for the same.
  socket.off('error', passOver);
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

/** A broken connection is closed, and that is enough. */
function passOver(): void {}

const WISHES = new Set(['upgrade', 'connection', 'http2-settings']);

function nothingToUpgrade(req: IncomingMessage): Refusal {
  return new Refusal('not_found', `There is no WebSocket at ${req.url?.split('?')[0]}.`);
}

function refuse(req: IncomingMessage, socket: Duplex, error: unknown, log: Logger): void {
  const refusal = asRefusal(error, req);
  if (refusal === null) log.error({ err: error }, 'a handshake failed');
  if (!(socket instanceof Socket) || socket.destroyed) return void socket.destroy();
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  res.assignSocket(socket);
  res.once('finish', () => socket.destroySoon());
  const problem = refusal === null ? INTERNAL : problemOf(refusal);
  if (refusal !== null) setRefusalHeaders(res, refusal);
  const body = JSON.stringify(problem);
  res.writeHead(problem.status, {
    'Content-Type': 'application/problem+json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
  });
  res.end(body);
}
