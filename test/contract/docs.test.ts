import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { PROVIDERS } from '@belfry/channels/providers.js';

/** From test/dist/contract to the root. */
const ROOT = new URL('../../../', import.meta.url);

describe('docs/providers.md', () => {
  it('has a row for every provider and every setting, as they are', async () => {
    const page = await readFile(new URL('docs/providers.md', ROOT), 'utf8');
    const rows = page.split('\n').filter((line) => line.startsWith('|'));
    for (const { name, channel, abilities, settings } of PROVIDERS) {
      const row = `| \`${name}\` | ${channel} | ${abilities.timeoutMs / 1000} s | ${abilities.afterAmbiguous} |`;
      assert.ok(rows.includes(row), `docs/providers.md should have this row:\n${row}`);
      for (const [setting, schema] of Object.entries(settings.shape)) {
        const { description = '', secret } = schema.meta() ?? {};
        const line = `| \`${setting}\` | ${name} | ${secret === true ? 'yes' : ''} | ${description} |`;
        assert.ok(rows.includes(line), `docs/providers.md should have this row:\n${line}`);
      }
    }
    const known = PROVIDERS.flatMap(({ name, settings }) => [name, ...Object.keys(settings.shape)]);
    for (const [, named] of page.matchAll(/^\| `(\w+)` \|/gm))
      assert.ok(known.includes(named ?? ''), `${named} is gone`);
  });
});

describe('the list of providers', () => {
  it('loads no SDK before a provider is made', async () => {
    const script = `
      const { registerHooks } = await import('node:module');
      const { default: module } = await import('node:module');
      await import('@belfry/channels/providers.js');
      const loaded = Object.keys(module._cache ?? {}).filter((path) => /node_modules.(twilio|nodemailer|axios)/.test(path));
      console.log(JSON.stringify({ loaded, hooks: typeof registerHooks }));
    `;
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
      cwd: new URL('test/', ROOT),
      timeout: 20_000,
    });
    assert.deepEqual(JSON.parse(stdout).loaded, []);
  });
});
