import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalLocale, FALLBACK_LOCALE } from './locale.js';
import type { TemplateProblem } from './problem.js';

/**
 * The files of an event in one locale. `note` serves realtime, push and webhook; `digest` serves every channel, for an event
 * whose manifest has a digest, but text messages where there is a `digest.sms`.
 */
const TEMPLATE_FILES = [
  'email.subject',
  'email.text',
  'email.html',
  'sms',
  'note.title',
  'note.body',
  'digest.title',
  'digest.body',
  'digest.sms',
] as const;
export type TemplateFile = (typeof TEMPLATE_FILES)[number];

/** The folder of an event as it lies on the disk. */
export interface EventFolder {
  readonly name: string;
  readonly path: string;
  /** By locale and file. */
  readonly sources: ReadonlyMap<string, ReadonlyMap<TemplateFile, string>>;
}

const EVENT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const SUFFIX = '.liquid';
const NEEDED_OF_DIGEST = ['digest.title', 'digest.body'] as const satisfies readonly TemplateFile[];
const DIGEST_FILES = [...NEEDED_OF_DIGEST, 'digest.sms'] as const satisfies readonly TemplateFile[];
const REQUIRED = TEMPLATE_FILES.filter((file) => file !== 'email.html' && !isOfDigest(file));

/** True for the files that tell of several. */
export function isOfDigest(file: TemplateFile): boolean {
  return DIGEST_FILES.some((one) => one === file);
}

/** What is wrong with the digest files of a folder, by whether its manifest wants them. */
export function digestProblems({ name, sources }: EventFolder, wanted: boolean): TemplateProblem[] {
  const [english, path] = [sources.get(FALLBACK_LOCALE), `${name}/${FALLBACK_LOCALE}`];
  if (wanted)
    return NEEDED_OF_DIGEST.filter((file) => !english?.has(file)).map((file) => ({
      file: `${path}/${file}${SUFFIX}`,
      message: 'is missing; the manifest has a digest, so add the file that tells of several',
    }));
  return [...sources].flatMap(([locale, files]) =>
    DIGEST_FILES.filter((file) => files.has(file)).map((file) => ({
      file: `${name}/${locale}/${file}${SUFFIX}`,
      message: 'is not used; the manifest has no digest, so add one or remove the file',
    })),
  );
}

/** The names of the events in `dir`: its folders, without those that begin with `_` or a dot. */
export async function listEvents(dir: string, problems: TemplateProblem[]): Promise<string[]> {
  const names = (await foldersIn(dir)).filter((name) => !name.startsWith('_'));
  for (const name of names.filter((name) => !EVENT_NAME.test(name))) {
    problems.push({
      file: name,
      message: 'a folder is named after its event: 1 to 128 of A-Z a-z 0-9 . _ -',
    });
  }
  return names.filter((name) => EVENT_NAME.test(name));
}

export async function hasFolder(dir: string, name: string): Promise<boolean> {
  return (await foldersIn(dir)).includes(name);
}

/** Reads one event's folder; what is missing or misnamed in it goes to `problems`. */
export async function readEventFolder(
  path: string,
  name: string,
  problems: TemplateProblem[],
): Promise<EventFolder> {
  const sources = new Map<string, ReadonlyMap<TemplateFile, string>>();
  for (const locale of await foldersIn(path)) {
    if (canonicalLocale(locale) !== locale) {
      const message =
        'a folder in an event is named after a locale in canonical form, such as en, am or pt-BR';
      problems.push({ file: `${name}/${locale}`, message });
      continue;
    }
    sources.set(locale, await readLocale(join(path, locale), `${name}/${locale}`, problems));
  }
  const english = sources.get(FALLBACK_LOCALE);
  for (const file of REQUIRED.filter((file) => !english?.has(file))) {
    const message = 'is missing; English is what every other locale falls back to, so add this file';
    problems.push({ file: `${name}/${FALLBACK_LOCALE}/${file}${SUFFIX}`, message });
  }
  return { name, path, sources };
}

/** Every file of a `_layouts` folder, by its name without `.liquid`; an absent folder has none. */
export async function readLayouts(dir: string): Promise<Map<string, string>> {
  const layouts = new Map<string, string>();
  for (const file of (await namesIn(dir)).filter((file) => file.endsWith(SUFFIX))) {
    layouts.set(file.slice(0, -SUFFIX.length), await readFile(join(dir, file), 'utf8'));
  }
  return layouts;
}

async function readLocale(
  path: string,
  shown: string,
  problems: TemplateProblem[],
): Promise<ReadonlyMap<TemplateFile, string>> {
  const sources = new Map<TemplateFile, string>();
  for (const found of await namesIn(path)) {
    const file = TEMPLATE_FILES.find((file) => `${file}${SUFFIX}` === found);
    if (file === undefined) {
      const known = TEMPLATE_FILES.map((file) => `${file}${SUFFIX}`).join(', ');
      problems.push({
        file: `${shown}/${found}`,
        message: `is not a file that is used; rename it to one of ${known}`,
      });
      continue;
    }
    sources.set(file, await readFile(join(path, found), 'utf8'));
  }
  if (sources.has('email.html') && !sources.has('email.text')) {
    const message = 'is missing; both parts of a mail must say the same, so add it beside email.html.liquid';
    problems.push({ file: `${shown}/email.text${SUFFIX}`, message });
  }
  return sources;
}

async function foldersIn(dir: string): Promise<string[]> {
  const names = await namesIn(dir);
  // stat, not the entry's type: where a folder is mounted from a ConfigMap, everything in it is a link.
  const folders = await Promise.all(names.map(async (name) => (await stat(join(dir, name))).isDirectory()));
  return names.filter((_, index) => folders[index]);
}

/** Sorted, without what editors and systems leave behind. An absent folder is an empty one. */
async function namesIn(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).filter((name) => !name.startsWith('.') && !name.endsWith('~')).sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return [];
    throw error;
  }
}
