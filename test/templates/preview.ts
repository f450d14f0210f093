import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { argv } from 'node:process';
import { pathToFileURL } from 'node:url';
import { DEFAULT_TEMPLATES_DIR, loadCatalogue } from '@belfry/shared/templates/catalogue.js';
import { createRenderer } from '@belfry/shared/templates/render.js';
import { AT, LOCALES, SAMPLES } from './samples.js';

/** Writes the mail of every event that ships, in every locale, to `dir` as `<event>.<locale>.html`; returns the paths. */
async function writePreviews(dir: string): Promise<string[]> {
  const renderer = createRenderer(await loadCatalogue(DEFAULT_TEMPLATES_DIR));
  await mkdir(dir, { recursive: true });
  const paths: string[] = [];
  for (const [event, context] of Object.entries(SAMPLES)) {
    for (const locale of LOCALES) {
      const rendered = await renderer.render({
        event,
        context,
        data: {},
        channel: 'email',
        locale,
        timezone: 'Africa/Addis_Ababa',
        at: AT,
      });
      if (!rendered.ok) throw new Error(rendered.reason);
      const path = join(dir, `${event}.${locale}.html`);
      await writeFile(path, rendered.content.html ?? '');
      paths.push(path);
    }
  }
  return paths;
}

// By hand: node test/dist/templates/preview.js <folder>
const [, script, dir] = argv;
if (script !== undefined && dir !== undefined && import.meta.url === pathToFileURL(script).href) {
  for (const path of await writePreviews(dir)) console.log(path);
}
