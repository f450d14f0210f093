import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { z } from 'zod';
import type { Channel } from '../domain/channel.js';
import { shipped } from '../files/shipped.js';
import { type CheckedContext, checkContext } from './context-check.js';
import { createEngines, type Engines } from './engine.js';
import { hasFolder, listEvents, readEventFolder, readLayouts, type TemplateFile } from './folder.js';
import { nearestLocales } from './locale.js';
import { type Digest, type Limit, type Manifest, readManifest } from './manifest.js';
import { type Part, type Parts, parseSources } from './parse.js';
import { CatalogueError, type TemplateProblem } from './problem.js';

/** The templates that ship, at the root of the repository. */
export const DEFAULT_TEMPLATES_DIR = shipped('templates');

/** The folder for a free title and message. */
const MESSAGE_FOLDER = '_message';
/** What an alert says to those who are told of it. It is no event that anybody can send. */
export const ALERT_EVENT = '_alert';
const OWN_FOLDERS: readonly string[] = [MESSAGE_FOLDER, ALERT_EVENT];
const LAYOUTS_FOLDER = '_layouts';

/** What an event is, as its manifest and its folders tell. */
export interface EventDefinition {
  readonly name: string;
  /** The event's name for people. */
  readonly title: string;
  readonly version: number;
  /** The channels that the event adds to the default routing. */
  readonly channels: readonly Channel[];
  /** Those of them on which nobody can switch the event off: all or none. */
  readonly mandatory: readonly Channel[];
  readonly digest: Digest | null;
  readonly limit: Limit | null;
  readonly variables: z.ZodObject;
  /** In the order of the alphabet, English among them. */
  readonly locales: readonly string[];
}

interface Entry {
  readonly definition: EventDefinition;
  readonly parts: Parts;
}

/** Every event that can be sent. Loaded once; nothing in it changes afterwards. */
export class Catalogue {
  readonly #entries: ReadonlyMap<string, Entry>;

  constructor(entries: ReadonlyMap<string, Entry>) {
    this.#entries = entries;
  }

  /** The events by name. */
  events(): EventDefinition[] {
    return [...this.#entries.values()]
      .map((entry) => entry.definition)
      .filter(({ name }) => !OWN_FOLDERS.includes(name));
  }

  find(event: string): EventDefinition | undefined {
    return OWN_FOLDERS.includes(event) ? undefined : this.#entries.get(event)?.definition;
  }

  /** Whether `event` exists and `context` has what it needs; the context comes back with defaults filled in. */
  check(event: string, context: unknown): CheckedContext {
    const definition = this.find(event);
    if (definition !== undefined) return checkContext(definition.variables, context);
    const known = this.events().map(({ name }) => name);
    const message = `There is no event "${event}". Events: ${known.join(', ') || 'none'}.`;
    return { ok: false, problems: [{ path: 'event_type', message }] };
  }

  /** The definition behind an event, or behind the free message where `event` is null. */
  definition(event: string | null): EventDefinition | undefined {
    return this.#entries.get(event ?? MESSAGE_FOLDER)?.definition;
  }

  /** `file` of an event (null: of the free message) in the nearest locale that has it. */
  part(event: string | null, file: TemplateFile, locale: string): Part | undefined {
    const parts = this.#entries.get(event ?? MESSAGE_FOLDER)?.parts;
    if (parts === undefined) return undefined;
    for (const candidate of nearestLocales(locale, parts.keys())) {
      const part = parts.get(candidate)?.get(file);
      if (part !== undefined) return part;
    }
    return undefined;
  }
}

/**
 * Reads and parses every template below `dir`. `_layouts`, `_message` and `_alert` are taken from the templates that
 * ship where `dir` has none of its own. Rejects with one `CatalogueError` that tells everything that is wrong.
 */
export async function loadCatalogue(dir: string): Promise<Catalogue> {
  const problems: TemplateProblem[] = [];
  const layouts = new Map([
    ...(await readLayouts(join(DEFAULT_TEMPLATES_DIR, LAYOUTS_FOLDER))),
    ...(await readLayouts(join(dir, LAYOUTS_FOLDER))),
  ]);
  const engines = createEngines(layouts);
  const entries = new Map<string, Entry>();
  const names = await listEvents(dir, problems);
  if (names.length === 0) {
    problems.push({
      file: '.',
      message: 'there is no event in it; add a folder, or set TEMPLATES_DIR to one that has',
    });
  }
  for (const name of [...names, ...OWN_FOLDERS]) {
    const entry = await loadEvent(dir, name, engines, problems);
    if (entry !== undefined) entries.set(name, entry);
  }
  if (problems.length > 0) throw new CatalogueError(dir, problems);
  return new Catalogue(entries);
}

async function loadEvent(
  dir: string,
  name: string,
  engines: Engines,
  problems: TemplateProblem[],
): Promise<Entry | undefined> {
  const root = OWN_FOLDERS.includes(name) && !(await hasFolder(dir, name)) ? DEFAULT_TEMPLATES_DIR : dir;
  const folder = await readEventFolder(join(root, name), name, problems);
  const manifest = await loadManifest(folder.path);
  if (typeof manifest === 'string') {
    problems.push({ file: `${name}/manifest.js`, message: manifest });
    return undefined;
  }
  // Alerts that are held back are told of together, whatever a manifest says.
  const several = name === ALERT_EVENT || manifest.digest !== undefined;
  const parts = parseSources(folder, manifest, engines, problems, several);
  const definition: EventDefinition = {
    name,
    title: manifest.title ?? name,
    version: manifest.version,
    channels: manifest.channels,
    mandatory: manifest.mandatory === true ? manifest.channels : [],
    digest: manifest.digest ?? null,
    limit: manifest.limit ?? null,
    variables: manifest.variables,
    locales: [...parts.keys()].sort(),
  };
  return { definition, parts };
}

async function loadManifest(folder: string): Promise<Manifest | string> {
  try {
    const module: unknown = await import(pathToFileURL(join(folder, 'manifest.js')).href);
    const exported =
      typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined;
    const manifest = readManifest(exported);
    return typeof manifest === 'string' ? `the default export is not a manifest: ${manifest}` : manifest;
  } catch (error) {
    return `cannot be loaded: ${error instanceof Error ? error.message : String(error)}`;
  }
}
