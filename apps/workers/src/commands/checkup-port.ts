import { createServer } from 'node:net';
import { apiFields } from '@belfry/shared/config/settings.js';
import type { Check, Finding } from './checkup.js';

const PATIENCE_MS = 2_000;

/** Whether the API could listen where it should, or does already. */
export const checkPort: Check = async (env) => {
  const port = apiFields.PORT.safeParse(env.PORT || undefined);
  if (!port.success || port.data === 0) return [];
  const host = env.HOST || '0.0.0.0';
  const code = await problemWith(port.data, host);
  if (code === undefined) return [{ level: 'ok', finding: `Port ${port.data} is free for the API.` }];
  return [await explain(code, port.data, host)];
};

async function explain(code: string, port: number, host: string): Promise<Finding> {
  if (code === 'EADDRINUSE') {
    if (await isBelfry(port, host)) return { level: 'ok', finding: `Belfry's API runs at port ${port}.` };
    return {
      level: 'error',
      finding: `Port ${port}, where the API is to listen, is taken by another program.`,
      remedy: `Stop that program (ss -ltnp 'sport = :${port}' names it), or set PORT to another.`,
    };
  }
  if (code === 'EACCES')
    return {
      level: 'error',
      finding: `This user may not listen on port ${port}.`,
      remedy: 'Set PORT to 1024 or more, and put a reverse proxy before it.',
    };
  return {
    level: 'error',
    finding: `The API cannot listen on ${host} port ${port} (${code}).`,
    remedy: 'Set HOST to an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all.',
  };
}

/** Listens there for a moment; a code of the system when it cannot. */
function problemWith(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}

/** `/ready` is answered by an API whatever has become of its databases. */
async function isBelfry(port: number, host: string): Promise<boolean> {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  try {
    const url = `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}/ready`;
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(PATIENCE_MS) });
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null && 'engine' in body && 'failing' in body;
  } catch {
    return false;
  }
}
