import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { ROOT } from '../support/process.js';

type Service = {
  image: string;
  command?: string[];
  environment?: Record<string, string>;
  deploy?: { replicas: number };
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
};

const compose = read('docker-compose.yml');
const { services } = parse(compose, { merge: true }) as { services: Record<string, Service> };
const dockerfile = read('Dockerfile');

describe('docker-compose.yml', () => {
  it('runs the stores, one API, three workers and the sandbox', () => {
    assert.deepEqual(Object.keys(services).sort(), ['api', 'postgres', 'redis', 'sandbox', 'worker']);
    assert.equal(services.worker?.deploy?.replicas, 3);
    assert.match(services.postgres?.image ?? '', /^postgres:17/);
  });

  it('keeps Redis from evicting and has it write an append-only file', () => {
    const command = services.redis?.command?.join(' ') ?? '';
    assert.match(command, /--maxmemory-policy noeviction/);
    assert.match(command, /--appendonly yes/);
  });

  it('starts the API and the workers when both stores are healthy', () => {
    for (const name of ['api', 'worker']) {
      for (const store of ['postgres', 'redis']) {
        assert.equal(
          services[name]?.depends_on?.[store]?.condition,
          'service_healthy',
          `${name} on ${store}`,
        );
      }
    }
    for (const name of ['postgres', 'redis', 'api', 'worker', 'sandbox'])
      assert.ok(services[name]?.healthcheck, name);
  });

  it('fails with a sentence when a secret is missing, and holds none', () => {
    assert.match(compose, /JWT_SECRET: \$\{JWT_SECRET:\?[^}]+\}/);
    assert.match(compose, /POSTGRES_PASSWORD: \$\{POSTGRES_PASSWORD:\?[^}]+\}/);
  });

  it('gives the API and the workers the same settings', () => {
    assert.deepEqual(services.worker?.environment, services.api?.environment);
    for (const name of ['DATABASE_URL', 'REDIS_URL', 'SMTP_URL', 'TWILIO_BASE_URL']) {
      assert.ok(services.api?.environment?.[name], name);
    }
  });

  it('sets only settings that the sources read', () => {
    const sources = ['packages/shared/src/config', 'packages/channels/src', 'apps/sandbox/src']
      .map(sourceText)
      .join('');
    for (const name of ['api', 'worker', 'sandbox']) {
      for (const setting of Object.keys(services[name]?.environment ?? {})) {
        assert.match(sources, new RegExp(`\\b${setting}\\b`), setting);
      }
    }
  });

  it('names only programs that the sources have', () => {
    const programs = [...`${compose}\n${dockerfile}`.matchAll(/apps\/(\w+)\/bundle\/main\.js/g)].map(
      ([, app]) => app,
    );
    assert.deepEqual([...new Set(programs)].sort(), ['api', 'cli', 'sandbox', 'workers']);
    for (const app of programs)
      assert.ok(existsSync(path.join(ROOT, 'apps', `${app}`, 'src', 'main.ts')), app);
  });
});

describe('Dockerfile', () => {
  it('copies only what exists', () => {
    const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.+)$/gm)].flatMap(([, list = '']) =>
      list.split(/\s+/).slice(0, -1),
    );
    assert.ok(sources.length > 8);
    for (const source of sources) assert.ok(existsSync(path.join(ROOT, source)), source);
  });

  it('copies the package file of every workspace, which npm compares with the lock file', () => {
    const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, unknown> };
    const workspaces = Object.keys(lock.packages).filter(
      (name) => name !== '' && !name.includes('node_modules'),
    );
    assert.ok(workspaces.length >= 7);
    for (const name of workspaces) assert.match(dockerfile, new RegExp(`^COPY ${name}/package.json `, 'm'));
  });

  it('builds and installs every program that it names', () => {
    for (const [, app = ''] of dockerfile.matchAll(/node apps\/(\w+)\/bundle\/main\.js/g)) {
      assert.match(dockerfile, new RegExp(`tsc -b .*\\bapps/${app}\\b`));
      assert.match(dockerfile, new RegExp(`--workspace=@belfry/${app}\\b`));
    }
  });

  it('ends as an ordinary user with the API in the foreground', () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    assert.match(last, /^USER node$/m);
    assert.match(last, /^CMD \["node", "apps\/api\/bundle\/main\.js"\]$/m);
  });

  it('is not sent secrets, local data or what was built outside', () => {
    const ignored = read('.dockerignore').split('\n');
    for (const name of ['**/node_modules', '**/dist', '**/bundle', '**/.env', '.belfry', '.git'])
      assert.ok(ignored.includes(name), name);
  });
});

function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

function sourceText(folder: string): string {
  const names = readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.ts'))
    .map((name) => read(path.join(folder, name)))
    .join('');
}
