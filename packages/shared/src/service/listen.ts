import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StartRefused } from './or-exit.js';
import { within } from './within.js';

export interface Listening {
  readonly url: string;
  /** Takes no new calls, lets those under way end for `graceMs`, and then cuts the rest. */
  stop(graceMs: number): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** The setting that names the port, for the sentence when it is taken. */
  readonly setting: string;
  /** Connections at once at most. */
  readonly connections: number;
  /** A request must be there, to its last byte, after this long; 30 s when not given. */
  readonly requestMs?: number;
  /** Called with the server before it listens. */
  readonly prepare?: (server: Server) => void;
}

/** Serves HTTP, with a bound on everything that a slow or hostile client could draw out. */
export async function listen(serve: RequestListener, options: ListenOptions): Promise<Listening> {
  const { requestMs = 30_000 } = options;
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: requestMs, keepAliveTimeout: 60_000, maxHeaderSize: 16 * 1024 },
    serve,
  );
  options.prepare?.(server);
  server.maxHeadersCount = 100;
  server.maxConnections = options.connections;
  await bind(server, options);
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    url: `http://${['0.0.0.0', '[::]'].includes(shown) ? '127.0.0.1' : shown}:${address.port}`,
    async stop(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      if (!(await within(graceMs, closed))) server.closeAllConnections();
    },
  };
}

function bind(server: Server, { host, port, setting }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new StartRefused(`Port ${port} is taken. Set ${setting} to another one.`)
          : error,
      );
    });
    server.listen(port, host, resolve);
  });
}
