import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseEnv } from 'node:util';
import { parseSettings } from '@belfry/channels/providers.js';
import { sandboxOptions } from '@belfry/sandbox/options.js';
import { readSettings } from '@belfry/shared/config/read.js';
import { apiSettings, workerSettings } from '@belfry/shared/config/settings.js';
import { envExample, settingsPage } from './settings-files.js';
import { settingGroups } from './settings-list.js';
import { read, readSources, WORKSPACES } from './sources.js';

const REMEDY = 'Run: node test/dist/architecture/write-settings.js';
const ALL = settingGroups().flatMap(({ settings }) => settings);
/** What is in the example, as if every # had been taken away. */
const EXAMPLE = parseEnv(read('.env.example').replace(/^#(?=[A-Z])/gm, ''));
const NEEDED = { DATABASE_URL: 'postgres://localhost/belfry', JWT_SECRET: 'x'.repeat(32) };

describe('the settings that are written down', () => {
  it('are those that there are, in .env.example', () =>
    assert.equal(read('.env.example'), envExample(), REMEDY));

  it('are those that there are, in docs/settings.md', () =>
    assert.equal(read('docs/settings.md'), settingsPage(), REMEDY));

  it('are each named once, and described by a sentence without a path of this machine', () => {
    assert.equal(new Set(ALL.map(({ name }) => name)).size, ALL.length);
    for (const { name, description, standard } of ALL) {
      assert.match(description, /^[A-Z`].{8,}[.:]?.*\.$/, name);
      assert.doesNotMatch(`${description} ${standard}`, /\/(home|work|root|Users)\//, name);
    }
    assert.deepEqual(Object.keys(EXAMPLE).sort(), ALL.map(({ name }) => name).sort());
  });

  it('change nothing when the example is taken as it is', () => {
    const { TEMPLATES_DIR: _, ...example } = EXAMPLE;
    const env = { ...example, ...NEEDED };
    assert.deepEqual(readSettings(apiSettings, env), readSettings(apiSettings, NEEDED));
    assert.deepEqual(readSettings(workerSettings, env), readSettings(workerSettings, NEEDED));
    assert.deepEqual(parseSettings(env), parseSettings({}));
    const ports = { httpPort: 3001, smtpPort: 3025, pushPort: 3026 };
    const wanted = { host: EXAMPLE.SANDBOX_HOST, ...ports, folder: undefined, vapidPublicKey: undefined };
    assert.deepEqual(sandboxOptions(EXAMPLE), wanted);
    assert.deepEqual(sandboxOptions({}), wanted);
  });

  it('are all that the product reads from the environment', () => {
    const known = new Set([...ALL.map(({ name }) => name), ...OF_OTHERS]);
    const sources = readSources(...WORKSPACES.map((workspace) => `${workspace}/src`));
    const read = sources.flatMap(({ file, code }) =>
      [...code.matchAll(/\benv(?:\.([A-Za-z_]+)|, '([A-Z_]+)')/g)].map(([, a, b]) => ({
        file,
        name: a ?? b ?? '',
      })),
    );
    assert.ok(read.length > 10);
    const unknown = read.filter(({ name }) => /^[A-Za-z]*_?[A-Z_]+$/.test(name) && !known.has(name));
    assert.deepEqual(unknown, []);
  });
});

/** Read, but not settings of Belfry: what the system, Node, npm and terminals say. */
const OF_OTHERS = ['PATH', 'NODE_EXTRA_CA_CERTS', 'NO_COLOR', 'TERM', 'INIT_CWD', 'npm_lifecycle_event'];
