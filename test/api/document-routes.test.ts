import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { BESIDE, operations } from '../support/api-document/operations.js';
import { withFleet } from '../support/fleet.js';
import { temporaryDir } from '../support/postgres.js';
import { ROOT } from '../support/process.js';

/** Where something stands that is no call: middleware before every call, and pages with files and calls of their own. */
const NO_CALLS = ['/api/v1', ...BESIDE];

describe('the routes of a running API', () => {
  let served: readonly (readonly [method: string, path: string])[] = [];
  before(async () => {
    served = await servedRoutes();
  });

  test('are those of its document, no more and no fewer', () => {
    const calls = served.filter(([method, route]) => method !== '*' && !isBeside(route));
    const described = operations().map(({ method, path: route }) => `${method} ${route}`);
    assert.ok(calls.length > 15);
    // One that takes two kinds of tokens has a handler for each.
    const once = new Set(calls.map(([method, route]) => `${method} ${route.replace(/:(\w+)/g, '{$1}')}`));
    assert.deepEqual([...once].toSorted(), described.toSorted());
  });

  test('leave nothing else to be answered, but at places that have a name here', () => {
    const places = served.filter(([method]) => method === '*').map(([, route]) => route);
    assert.ok(places.includes('/api/v1'));
    assert.deepEqual(
      places.filter((place) => !NO_CALLS.includes(place) && !isBeside(place)),
      [],
    );
  });
});

function isBeside(route: string): boolean {
  return BESIDE.some((place) => route.startsWith(place));
}

/** The method and the path of each route; a place where middleware stands has the method `*`. */
async function servedRoutes(): Promise<[method: string, path: string][]> {
  const dir = temporaryDir();
  const list = path.join(dir, 'routes');
  const recorder = path.join(ROOT, 'test/dist/api/record-routes.js').replaceAll(' ', '%20');
  const env = { NODE_OPTIONS: `--import=${recorder}`, ROUTE_LIST: list };
  try {
    await withFleet({ engine: 'postgres', workers: [], env }, async () => undefined);
    return readFileSync(list, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  } finally {
    rmSync(dir, { recursive: true });
  }
}
