import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';

/*
 * Loaded before the API: when the process ends, the file ROUTE_LIST has every route that its Express app serves, as a line
 * of JSON: a method (`*` for a place that middleware or files of its own answer at) and a path.
 */

type Handler = { readonly stack?: readonly Layer[] };
type Layer = {
  readonly rawPath: unknown;
  readonly handle: Handler;
  readonly route?: { readonly path: unknown; readonly methods: Readonly<Record<string, boolean>> };
};

const { createServer } = http;
http.createServer = ((...args: Parameters<typeof createServer>) => {
  const app = args.at(-1) as unknown as { readonly router: Handler };
  process.on('exit', () => {
    const lines = [...routesBelow('', app.router)].map((route) => `${JSON.stringify(route)}\n`);
    writeFileSync(process.env.ROUTE_LIST ?? '', lines.join(''));
  });
  return createServer(...args);
}) as typeof createServer;
syncBuiltinESMExports();

function* routesBelow(base: string, { stack = [] }: Handler): Generator<readonly [string, string]> {
  for (const { rawPath, handle, route } of stack) {
    const paths = [route === undefined ? rawPath : route.path].flat(Number.POSITIVE_INFINITY).map(String);
    for (const path of paths) {
      const whole = path === '/' ? base : base + path;
      if (route !== undefined) for (const method of Object.keys(route.methods)) yield [method, whole || '/'];
      else if (handle.stack !== undefined) yield* routesBelow(whole, handle);
      else if (whole !== base) yield ['*', whole];
    }
  }
}
