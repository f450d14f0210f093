import type { ServerResponse } from 'node:http';
import { Histogram, type Registry } from '@belfry/shared/service/metrics.js';
import { NO_TRACING, type Tracing } from '@belfry/shared/service/tracing.js';
import type { Request, RequestHandler, Response } from 'express';

/** In seconds: an accept is a commit, and an import may take its time. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Measures every call, and follows it in a trace of its own or of its caller. The first middleware. */
export function observe(registry: Registry, tracing: Tracing): RequestHandler {
  const seconds = new Histogram({
    name: 'belfry_http_request_duration_seconds',
    help: 'How long calls took, by the pattern of their route and the class of their status.',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS,
    registers: [registry],
  });
  return (req, res, next) => {
    const began = performance.now();
    const method = METHODS.has(req.method) ? req.method : 'other';
    const parent = req.get('traceparent') ?? null;
    const facts = { 'http.request.method': method };
    const followed = OF_PROBES.has(req.path) ? NO_TRACING : tracing;
    void followed.span(method, { kind: 'server', parent, facts }, async (span) => {
      const ended = untilClosed(res);
      next();
      await ended;
      const route = routeOf(req);
      const status =
        res.writableFinished || streaming.has(res) ? `${Math.floor(res.statusCode / 100)}xx` : 'aborted';
      seconds.observe({ method, route, status }, (performance.now() - began) / 1_000);
      span.rename(`${method} ${route}`);
      span.say({ 'http.route': route, 'http.response.status_code': res.statusCode });
      if (status === '5xx' || status === 'aborted') span.fail(status);
    });
  };
}

/** Anything else is one value, so that nobody can make series by inventing methods. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Asked every few seconds by machines: a trace of that tells nothing. */
const OF_PROBES = new Set(['/health', '/ready', '/metrics']);

/** Where routers are mounted. Express forgets it on the way to the error middleware, so it is read from the path. */
const MOUNTS = ['/api/v1', '/admin/queues'];

/** The pattern of the route that took the call, such as `/api/v1/users/:id`; `none` when none did. Never the path itself. */
function routeOf(req: Request): string {
  const path: unknown = req.route?.path;
  const pattern: unknown = Array.isArray(path) ? path[0] : path;
  if (typeof pattern !== 'string') return 'none';
  const mount = MOUNTS.find((one) => req.originalUrl.startsWith(`${one}/`)) ?? '';
  return mount + pattern;
}

function untilClosed(res: Response): Promise<void> {
  return new Promise((resolve) => {
    res.once('close', resolve);
    answered.set(res, resolve);
  });
}

const answered = new WeakMap<ServerResponse, () => void>();
const streaming = new WeakSet<ServerResponse>();

/** Says that this answer goes on for as long as its client stays: the call has been answered by now. */
export function goesOn(res: ServerResponse): void {
  streaming.add(res);
  answered.get(res)?.();
}
