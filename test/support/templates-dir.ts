import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { DEFAULT_TEMPLATES_DIR } from '@belfry/shared/templates/catalogue.js';

/**
 * A folder of the events that ship, and with each of `events` as a copy of `tenant_update` whose manifest has these lines
 * on top, and of `files` by their paths. It goes when the suite that it is made in ends; `TEMPLATES_DIR` names it.
 */
export function templatesWith(
  events: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>> = {},
): string {
  const dir = mkdtempSync(join(tmpdir(), 'events-'));
  after(() => rmSync(dir, { recursive: true, force: true }));
  cpSync(DEFAULT_TEMPLATES_DIR, dir, { recursive: true });
  for (const [event, lines] of Object.entries(events)) {
    cpSync(join(dir, 'tenant_update'), join(dir, event), { recursive: true });
    const manifest = join(dir, event, 'manifest.js');
    const source = readFileSync(manifest, 'utf8').replace('version: 1,', `version: 1, ${lines},`);
    writeFileSync(manifest, source);
  }
  for (const [file, source] of Object.entries(files)) writeFileSync(join(dir, file), source);
  return dir;
}
