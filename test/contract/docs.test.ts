import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { settingsOf } from '@belfry/channels/accounts.js';
import { PROVIDERS } from '@belfry/channels/providers.js';

/** From test/dist/contract to the root. */
const ROOT = new URL('../../../', import.meta.url);

describe('docs/providers.md', () => {
  it('has a row for every provider and every setting, as they are', async () => {
    const page = await readFile(new URL('docs/providers.md', ROOT), 'utf8');
    // Cells are padded so that the source reads as a table; that is no difference.
    const rows = page.split('\n').map((line) => line.replace(/ +/g, ' ').trim());
    for (const definition of PROVIDERS) {
      const { name, channel, abilities } = definition;
      const row = `| \`${name}\` | ${channel} | ${abilities.timeoutMs / 1000} s | ${abilities.afterAmbiguous} |`;
      assert.ok(rows.includes(row), `docs/providers.md should have this row:\n${row}`);
      for (const [setting, schema] of Object.entries(settingsOf(definition))) {
        const { description = schema.description ?? '', secret } = schema.meta() ?? {};
        const line = `| \`${setting}\` | ${name} | ${secret === true ? 'yes ' : ''}| ${description} |`;
        assert.ok(rows.includes(line), `docs/providers.md should have this row:\n${line}`);
      }
    }
    const known = PROVIDERS.flatMap((one) => [one.name, ...Object.keys(settingsOf(one))]);
    for (const [, named] of page.matchAll(/^\| `(\w+)` +\|/gm))
      assert.ok(known.includes(named ?? ''), `${named} is gone`);
  });
});

describe('the list of providers', () => {
  it('loads no SDK before a provider is made', async () => {
    const watcher = `
      import { writeSync } from 'node:fs';
      export async function load(url, context, next) { writeSync(1, url + '\\n'); return next(url, context); }`;
    const script = `
      import { register } from 'node:module';
      register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(watcher)}));
      await import('@belfry/channels/providers.js');`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      cwd: new URL('test/', ROOT),
      timeout: 20_000,
    });
    const loaded = stdout.split('\n').filter((url) => url.includes('/node_modules/'));
    assert.ok(loaded.length > 0, 'what is loaded was not seen');
    assert.deepEqual(
      loaded.filter((url) => !url.includes('/node_modules/zod/')),
      [],
    );
  });
});
