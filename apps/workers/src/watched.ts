import type { RequestListener, ServerResponse } from 'node:http';
import type { Registry } from '@belfry/shared/service/metrics.js';
import { failingOf, type Parts, partsUp } from '@belfry/shared/service/parts-up.js';

export interface WatchedParts extends Parts {
  readonly registry: Registry;
}

/**
 * What a worker answers over HTTP: `/metrics` for Prometheus, `/health` as long as the process lives, and `/ready`, which is
 * 503 while it cannot work. It sends nothing without the database, and gets nothing to do without the queue.
 */
export function watched(parts: WatchedParts): RequestListener {
  const pages = new Map<string, () => Promise<Page>>([
    ['/metrics', async () => [200, parts.registry.contentType, await parts.registry.metrics()]],
    ['/health', async () => json(200, { status: 'ok' })],
    [
      '/ready',
      async () => {
        const failing = failingOf(await partsUp(parts));
        const status = failing.length === 0 ? 'ready' : 'unavailable';
        return json(failing.length === 0 ? 200 : 503, { status, failing, engine: parts.engine.kind });
      },
    ],
  ]);
  return (req, res) => {
    const [path = ''] = (req.url ?? '').split('?');
    const page = req.method === 'GET' || req.method === 'HEAD' ? pages.get(path) : undefined;
    if (page === undefined) return answer(res, json(404, { status: 'not found' }));
    page().then(
      (answered) => answer(res, answered),
      () => answer(res, json(500, { status: 'failed' })),
    );
  };
}

type Page = readonly [status: number, contentType: string, body: string];

function json(status: number, body: unknown): Page {
  return [status, 'application/json; charset=utf-8', `${JSON.stringify(body)}\n`];
}

function answer(res: ServerResponse, [status, contentType, body]: Page): void {
  res.writeHead(status, { 'Content-Type': contentType, 'Cache-Control': 'no-store' }).end(body);
}
