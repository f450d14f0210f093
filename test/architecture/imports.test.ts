import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { freshDatabase, temporaryDir } from '../support/postgres.js';
import { ROOT, startProcess } from '../support/process.js';
import { readSources, type Source, WORKSPACES } from './sources.js';

const SOURCES = readSources(...WORKSPACES.map((workspace) => `${workspace}/src`));
const SHARED = 'packages/shared/src/';

/** Which workspaces each may import, beside itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'packages/shared': [],
  'packages/channels': ['packages/shared'],
  'apps/workers': ['packages/shared', 'packages/channels'],
  'apps/api': ['packages/shared'],
  'apps/sandbox': [],
  'apps/local': [],
  'apps/cli': ['packages/shared'],
};

/** The same for the folders inside `packages/shared`. */
const INSIDE: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  channels: ['domain'],
  files: [],
  templates: ['domain', 'files'],
  config: ['domain', 'templates'],
  ledger: ['domain', 'files'],
  routing: ['domain', 'ledger'],
  service: ['config', 'domain', 'ledger', 'queue'],
  queue: ['config', 'domain', 'ledger', 'service'],
  directory: ['channels', 'domain', 'ledger', 'service'],
  notify: ['channels', 'directory', 'domain', 'ledger', 'queue', 'routing', 'service', 'templates'],
  selfwatch: ['domain', 'ledger', 'notify', 'queue', 'service'],
  upkeep: ['domain', 'ledger', 'notify', 'queue', 'service'],
};

const SDKS = ['nodemailer', 'twilio', '@aws-sdk', 'web-push', 'firebase-admin'];

const workspaceOf = (file: string) => file.split('/').slice(0, 2).join('/');
const folderOf = (file: string) => file.slice(SHARED.length).split('/')[0] ?? '';

/** Every import as "file → file", of those for which the condition holds. */
function edges(condition: (from: string, to: string) => boolean): string[] {
  return SOURCES.flatMap(({ file, imports }) =>
    imports.flatMap((one) =>
      one.file !== null && condition(file, one.file) ? [`${file} → ${one.file}`] : [],
    ),
  );
}

describe('imports', () => {
  it('are seen, and lead to files that are there', () => {
    assert.ok(SOURCES.length > 100);
    const known = new Set(SOURCES.map(({ file }) => file));
    assert.deepEqual(
      edges((_, to) => !known.has(to)),
      [],
    );
    assert.ok(edges(() => true).length > SOURCES.length);
    // One on a single line, one over several, one of a type, one at run time.
    for (const [from, to] of [
      ['apps/workers/src/open.ts', 'packages/channels/src/providers.ts'],
      ['apps/api/src/routes/people.ts', 'packages/shared/src/ledger/people.ts'],
      ['packages/shared/src/routing/guard.ts', 'packages/shared/src/ledger/claim.ts'],
    ] as const)
      assert.ok(edges((a, b) => a === from && b === to).length === 1, `${from} → ${to}`);
    assert.ok(SOURCES.some(({ imports }) => imports.some(({ specifier }) => specifier === 'twilio')));
  });

  it('go one way between the workspaces', () => {
    assert.deepEqual(Object.keys(MAY_IMPORT).sort(), WORKSPACES.toSorted());
    const wrong = edges((from, to) => {
      const [here, there] = [workspaceOf(from), workspaceOf(to)];
      return here !== there && !MAY_IMPORT[here]?.includes(there);
    });
    assert.deepEqual(wrong, []);
  });

  it('go one way between the folders of what is shared', () => {
    const inside = SOURCES.filter(({ file }) => file.startsWith(SHARED));
    assert.deepEqual(
      [...new Set(inside.map(({ file }) => folderOf(file)))].sort(),
      Object.keys(INSIDE).sort(),
    );
    const wrong = edges((from, to) => {
      if (!from.startsWith(SHARED) || !to.startsWith(SHARED)) return false;
      const [here, there] = [folderOf(from), folderOf(to)];
      return here !== there && !INSIDE[here]?.includes(there);
    });
    assert.deepEqual(wrong, []);
  });

  it('make no cycle, not even of types', () => {
    assert.deepEqual(cyclesIn(SOURCES), []);
  });

  it('of an engine are in one file', () => {
    const engines = [`${SHARED}queue/postgres-engine.ts`, `${SHARED}queue/redis-engine.ts`];
    const users = edges((_, to) => engines.includes(to)).map((edge) => edge.split(' → ')[0]);
    assert.deepEqual([...new Set(users)], [`${SHARED}queue/engine.ts`]);
    const redis = SOURCES.filter(({ imports }) =>
      imports.some((one) => one.specifier === 'ioredis' && !one.typeOnly),
    );
    assert.deepEqual(
      redis.map(({ file }) => file),
      [`${SHARED}queue/redis-engine.ts`],
    );
  });

  it("of a provider's SDK are in the channels", () => {
    const users = SOURCES.filter(({ imports }) =>
      imports.some(({ specifier }) =>
        SDKS.some((sdk) => specifier === sdk || specifier.startsWith(`${sdk}/`)),
      ),
    );
    assert.ok(users.length > 0);
    assert.deepEqual(
      users.filter(({ file }) => !file.startsWith('packages/channels/')).map(({ file }) => file),
      [],
    );
  });
});

describe('a running API', () => {
  it('has loaded no channel, no SDK of a provider, no MQTT without a broker, and nothing that only describes it', async () => {
    const database = await freshDatabase();
    const dir = temporaryDir();
    const list = path.join(dir, 'modules');
    try {
      const recorder = path.join(ROOT, 'test/dist/architecture/record-modules.js');
      const api = await startProcess('apps/api/dist/main.js', {
        NODE_OPTIONS: `--import=${recorder.replaceAll(' ', '%20')}`,
        MODULE_LIST: list,
        DATABASE_URL: database.url,
        JWT_SECRET: 'x'.repeat(32),
        PORT: '0',
        HOST: '127.0.0.1',
      });
      assert.equal((await api.stop()).code, 0);
      const loaded = readFileSync(list, 'utf8').split('\n');
      assert.ok(loaded.some((file) => file.endsWith('/apps/api/dist/app.js')));
      assert.ok(
        loaded.some((file) => file.includes('/node_modules/pg-pool/')),
        'what CommonJS requires is not seen',
      );
      const packages = [...SDKS, 'mqtt', 'zod-openapi', 'swagger-ui-dist'].map(
        (name) => `/node_modules/${name}/`,
      );
      const wrong = ['/packages/channels/', '/apps/workers/', '/apps/api/dist/openapi/', ...packages];
      assert.deepEqual(
        loaded.filter((file) => wrong.some((part) => file.includes(part))),
        [],
      );
    } finally {
      rmSync(dir, { recursive: true });
      await database.drop();
    }
  });
});

/** Each cycle once, as the files that lead back to the first. */
function cyclesIn(sources: readonly Source[]): string[] {
  const byFile = new Map(sources.map((source) => [source.file, source]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) found.push([...trail.slice(trail.indexOf(file)), file].join(' → '));
    if (done.has(file) || trail.includes(file)) return;
    for (const one of byFile.get(file)?.imports ?? [])
      if (one.file !== null) visit(one.file, [...trail, file]);
    done.add(file);
  };
  for (const { file } of sources) visit(file, []);
  return found;
}
