import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { PROVIDERS } from '@belfry/channels/providers.js';
import { CHANNELS } from '@belfry/shared/domain/channel.js';
import { ROOT } from '../support/process.js';
import { filesBelow, read, readSources, WORKSPACES } from './sources.js';

const SOURCES = readSources(...WORKSPACES.map((workspace) => `${workspace}/src`));
const TESTS = readSources('test');
const TRACKED = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');

/** The product's files whose code matches, outside of where it belongs. */
function strays(pattern: RegExp, ...home: readonly (string | RegExp)[]): string[] {
  return SOURCES.filter(({ code }) => pattern.test(code))
    .map(({ file }) => file)
    .filter(
      (file) =>
        !home.some((place) => (typeof place === 'string' ? file.startsWith(place) : place.test(file))),
    );
}

describe('a line lives in its place', () => {
  it('a statement that names a table is in the ledger', () => {
    // The embedded server's own databases are no ledger.
    const home = ['packages/shared/src/ledger/', 'apps/local/src/'];
    assert.ok(strays(NAMES_A_TABLE).length > 5);
    assert.deepEqual(strays(NAMES_A_TABLE, ...home), []);
  });

  it('the environment is read where a program starts, and by the settings', () => {
    // `npm start` also hands its environment on to the programs that it starts.
    const home = [
      'packages/shared/src/config/',
      'apps/local/src/',
      /^apps\/\w+\/src\/(main|open|commands\/[\w-]+)\.ts$/,
    ];
    assert.ok(strays(/process\.env\b/).length > 1);
    assert.deepEqual(strays(/process\.env\b/, ...home), []);
  });

  it('signals and exits are in one place, and in programs that serve development alone', () => {
    const pattern = /process\.(exit|on|once|abort|kill)\(|process\.exitCode/;
    const home = [
      /^packages\/shared\/src\/service\/(lifecycle|or-exit)\.ts$/,
      // Their exit codes are their answers.
      'apps/workers/src/commands/doctor.ts',
      'apps/cli/src/main.ts',
      'apps/local/src/',
      'apps/sandbox/src/main.ts',
    ];
    assert.deepEqual(strays(pattern, ...home), []);
  });

  it('an HTTP status is known to the middleware and to what answers HTTP', () => {
    assert.deepEqual(strays(/\.status\(\d{3}\)/, 'apps/api/src/', 'apps/sandbox/src/'), []);
  });

  it('a router tells upper from lower case, as a broker does whose topics are paths', () => {
    assert.deepEqual(strays(/\bRouter\(\)/, 'apps/sandbox/'), []);
  });

  it('every provider is in the list, under its own channel', () => {
    const definitions = SOURCES.filter(
      ({ file, code }) =>
        file.startsWith('packages/channels/src/') && /^export const \w+: ProviderDefinition</m.test(code),
    );
    assert.deepEqual(
      definitions.map(({ file }) => file.split('/').slice(3).join('/')).sort(),
      PROVIDERS.map(({ name, channel }) => `${channel}/${name}.ts`).sort(),
    );
    const folders = filesBelow('packages/channels/src', /\.ts$/).map((file) => file.split('/').slice(3));
    for (const [folder, inside] of folders)
      if (inside !== undefined)
        assert.ok(
          CHANNELS.some((one) => one === folder),
          folder,
        );
  });
});

const NAMES_A_TABLE = /\b(FROM|INTO|JOIN|TABLE|UPDATE) "?[a-z_]/;

describe('files', () => {
  it('are not longer than can be read: 300 lines', () => {
    const scripts = filesBelow('scripts', /\.mjs$/).map((file) => ({
      file,
      lines: read(file).split('\n').length,
    }));
    const long = [...SOURCES, ...TESTS, ...scripts].filter(({ lines }) => lines > 300);
    assert.deepEqual(
      long.map(({ file, lines }) => `${file}: ${lines}`),
      [],
    );
  });

  it('are mostly of one screen', () => {
    const lengths = SOURCES.map(({ lines }) => lines).sort((a, b) => a - b);
    const median = lengths[Math.floor(lengths.length / 2)] ?? 0;
    assert.ok(median <= 100, `the median is ${median} lines`);
  });

  it('have names in kebab-case that say what is inside', () => {
    const code = TRACKED.filter(
      (file) => /\.(ts|mjs|js|sql)$/.test(file) && !file.startsWith('packages/shared/migrations/'),
    );
    const wrong = code.filter((file) => {
      const name = file.split('/').at(-1) ?? '';
      return (
        !/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.config)?\.[a-z]+$/.test(name) ||
        /(^|\/|-)(utils?|helpers?|common|managers?|misc)\b/.test(file)
      );
    });
    assert.deepEqual(wrong, []);
  });

  it('hold no path of the machine they were written on, and no reference that a reader cannot follow', () => {
    const texts = TRACKED.filter((file) =>
      /\.(ts|mjs|js|json|md|ya?ml|liquid|sql|html|css)$|Dockerfile$/.test(file),
    );
    const wrong = texts.filter(
      (file) => file !== 'package-lock.json' && UNFOLLOWABLE.some((pattern) => pattern.test(read(file))),
    );
    assert.deepEqual(wrong, []);
  });

  it('never skip a test, nor leave one for later', () => {
    const skipping = new RegExp(
      String.raw`\b(it|test|describe|suite)\.(skip|only|todo)\(|\b(skip|todo|only): ?(true|'|${'`'})`,
    );
    assert.deepEqual(
      TESTS.filter(({ code }) => skipping.test(code)).map(({ file }) => file),
      [],
    );
  });

  it('never sleep in a test to give something time', () => {
    const sleeping = /await (sleep|delay|setTimeout)\(\d/;
    // Benchmarks are let run for a time.
    const tests = TESTS.filter(({ file }) => !file.startsWith('test/bench/'));
    assert.deepEqual(
      tests.filter(({ code }) => sleeping.test(code)).map(({ file }) => file),
      [],
    );
  });
});

// Written in pieces, so that this file does not match itself.
const UNFOLLOWABLE = [
  new RegExp(['/work', '/(main|shared)'].join('')),
  new RegExp(['\\b(DESIGN', 'CONTRACT', 'STYLE', 'FAULTS)(\\.md| §)'].join('|')),
  new RegExp(['\\bissues? (show', '#?\\d+\\b)'].join('|')),
  new RegExp(['/home', '/\\w+/'].join('')),
];

describe('dependencies', () => {
  const manifests = TRACKED.filter((file) => /(^|\/)package\.json$/.test(file));

  it('have exact versions', () => {
    assert.ok(manifests.length >= WORKSPACES.length + 2);
    for (const file of manifests) {
      const { dependencies = {}, devDependencies = {} } = JSON.parse(read(file));
      for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
        assert.match(String(version), /^\d+\.\d+\.\d+(-[\w.]+)?$/, `${name} in ${file}`);
    }
  });

  it('have one version each, in every workspace', () => {
    const versions = new Map<string, Set<string>>();
    for (const file of manifests) {
      const { dependencies = {}, devDependencies = {} } = JSON.parse(read(file));
      for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
        versions.set(name, (versions.get(name) ?? new Set()).add(String(version)));
    }
    assert.deepEqual(
      [...versions].filter(([, all]) => all.size > 1).map(([name]) => name),
      [],
    );
  });

  it('are fetched from no registry but the public one', () => {
    const hosts = [...read('package-lock.json').matchAll(/"resolved": "https?:\/\/([^/"]+)/g)].map(
      ([, host]) => host,
    );
    assert.deepEqual(
      [...new Set(hosts)].filter((host) => host !== 'registry.npmjs.org'),
      [],
    );
  });
});
