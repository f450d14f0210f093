import { createServer } from 'node:net';

/** A TCP port on `host` that nothing listens on at this moment. */
export function freePort(host = '127.0.0.1'): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** Why `port` cannot be listened on (`EADDRINUSE`, `EACCES`, …), or nothing when it can. */
export function portProblem(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}

/** `port` itself when it is free on `host`, otherwise any free one. */
export async function preferPort(port: number, host: string): Promise<number> {
  if (port > 65_535 || (await portProblem(port, host))) return freePort(host);
  return port;
}
