import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StartRefused } from '@belfry/shared/service/or-exit.js';
import { within } from '@belfry/shared/service/within.js';
import type { Express } from 'express';
import { LONGEST_MS, limitArrival } from './middleware/arrival.js';

export interface Listening {
  readonly url: string;
  /** Takes no new calls, lets those under way end for `graceMs`, and then cuts the rest. */
  stop(graceMs: number): Promise<void>;
}

/**
 * Serves the app, with a bound on everything that a slow or hostile client could draw out. A request must have arrived
 * within `arrivalMs` (30 s), unless its route takes long ones.
 */
export async function listen(
  app: Express,
  host: string,
  port: number,
  arrivalMs?: number,
): Promise<Listening> {
  const server = createServer(
    {
      headersTimeout: 10_000,
      requestTimeout: LONGEST_MS,
      keepAliveTimeout: 60_000,
      maxHeaderSize: 16 * 1024,
    },
    app,
  );
  limitArrival(server, arrivalMs);
  server.maxHeadersCount = 100;
  server.maxConnections = 10_000;
  await bind(server, host, port);
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

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new StartRefused(`Port ${port} is taken. Set PORT to another one.`)
          : error,
      );
    });
    server.listen(port, host, resolve);
  });
}
