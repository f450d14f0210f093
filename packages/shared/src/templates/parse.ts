import { type Liquid, LiquidError, type Template } from 'liquidjs';
import type { Engines } from './engine.js';
import { digestProblems, type EventFolder, isOfDigest, type TemplateFile } from './folder.js';
import { BUILT_IN, type Manifest } from './manifest.js';
import type { TemplateProblem } from './problem.js';

/** One parsed file, the engine that runs it, and the locale that it is written in. */
export interface Part {
  readonly file: TemplateFile;
  readonly locale: string;
  readonly template: Template[];
  readonly engine: Liquid;
}

/** An event's parsed files, by locale and file. */
export type Parts = ReadonlyMap<string, ReadonlyMap<TemplateFile, Part>>;

/**
 * Parses every file of an event, and follows what they include. What would only show when somebody is to be told
 * something shows here: bad syntax, an unknown filter or layout, a variable that the manifest does not declare.
 *
 * @param tellsOfSeveral whether it has to have the files that tell of several.
 */
export function parseSources(
  folder: EventFolder,
  manifest: Manifest,
  engines: Engines,
  problems: TemplateProblem[],
  tellsOfSeveral: boolean,
): Parts {
  const known = new Set<string>([...Object.keys(manifest.variables.shape), ...BUILT_IN]);
  const knownOfSeveral = new Set<string>(['items', 'count', ...BUILT_IN]);
  problems.push(...digestProblems(folder, tellsOfSeveral));
  const parts = new Map<string, ReadonlyMap<TemplateFile, Part>>();
  for (const [locale, sources] of folder.sources) {
    const parsed = new Map<TemplateFile, Part>();
    for (const [file, source] of sources) {
      const part = parse(source, file, locale, engines, isOfDigest(file) ? knownOfSeveral : known);
      if (typeof part === 'string')
        problems.push({ file: `${folder.name}/${locale}/${file}.liquid`, message: part });
      else parsed.set(file, part);
    }
    parts.set(locale, parsed);
  }
  return parts;
}

function parse(
  source: string,
  file: TemplateFile,
  locale: string,
  engines: Engines,
  known: ReadonlySet<string>,
): Part | string {
  const engine = file === 'email.html' ? engines.html : engines.text;
  try {
    const template = engine.parse(source);
    const unknown = engine.globalVariablesSync(template).filter((name) => !known.has(name));
    if (unknown.length > 0) {
      return `reads ${unknown.join(', ')}, which the manifest does not declare; mend the name or declare it`;
    }
    return { file, locale, template, engine };
  } catch (error) {
    return `${reason(error)}; mend the template`;
  }
}

function reason(error: unknown): string {
  // A partial that includes itself ends in a RangeError of the analysis.
  if (error instanceof RangeError) return 'includes itself without an end';
  if (LiquidError.is(error)) return error.message;
  return error instanceof Error ? error.message : String(error);
}
