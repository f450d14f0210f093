import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Channel } from '@belfry/shared/domain/channel.js';
import { type Catalogue, DEFAULT_TEMPLATES_DIR, loadCatalogue } from '@belfry/shared/templates/catalogue.js';
import { CatalogueError } from '@belfry/shared/templates/problem.js';
import type { Renderer, RenderRequest } from '@belfry/shared/templates/render.js';
import { AT, SAMPLES } from './samples.js';

/** The files of an event that only says hello to `name`, to be broken or added to by a test. */
const MINIMAL: Readonly<Record<string, string>> = {
  'manifest.js': 'export default ({ z, text }) => ({ version: 3, variables: z.object({ name: text() }) });\n',
  'en/email.subject.liquid': 'Hello {{ name }}\n',
  'en/email.text.liquid': 'Hello {{ name }}\n',
  'en/email.html.liquid': '<p>Hello {{ name }}</p>\n',
  'en/sms.liquid': 'Hello {{ name }}\n',
  'en/note.title.liquid': 'Hello\n',
  'en/note.body.liquid': 'Hello {{ name }}\n',
};

/** A templates folder outside the project, with the event `hello` and these files on top; null leaves one out. */
export async function folderWith(
  t: TestContext,
  files: Readonly<Record<string, string | null>>,
): Promise<string> {
  const dir = await emptyFolder(t);
  const all: Record<string, string | null> = {};
  for (const [path, source] of Object.entries(MINIMAL)) all[`hello/${path}`] = source;
  for (const [path, source] of Object.entries({ ...all, ...files })) {
    if (source === null) continue;
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), source);
  }
  return dir;
}

/** A folder outside the project that goes with the test. */
export async function emptyFolder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'templates-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Copies an event that ships to `dir`, under another name. */
export async function copyEvent(event: string, dir: string, name: string): Promise<void> {
  await cp(join(DEFAULT_TEMPLATES_DIR, event), join(dir, name), { recursive: true });
}

/** What is wrong with a folder, as `file: message` lines; fails where nothing is. */
export async function problemsOf(dir: string): Promise<string[]> {
  try {
    await loadCatalogue(dir);
  } catch (error) {
    if (!(error instanceof CatalogueError)) throw error;
    return error.problems.map(({ file, message }) => `${file}: ${message}`);
  }
  throw new Error(`${dir} was loaded without a complaint`);
}

/** Renders, and fails where that fails. */
export async function rendered<C extends Channel>(
  renderer: Renderer,
  request: Partial<RenderRequest> & { channel: C },
) {
  const event = request.event === undefined ? 'payment_success' : request.event;
  const result = await renderer.render<C>({
    context: SAMPLES[event ?? ''] ?? {},
    data: {},
    locale: 'en',
    timezone: 'Africa/Addis_Ababa',
    at: AT,
    ...request,
    event,
  });
  if (!result.ok) throw new Error(result.reason);
  return result;
}

/** The catalogue that ships, loaded once. */
export const shipped: Promise<Catalogue> = loadCatalogue(DEFAULT_TEMPLATES_DIR);
