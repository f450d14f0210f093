import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../support/process.js';

/** A source file of the product. */
export interface Source {
  /** From the root, as `packages/shared/src/domain/ids.ts`. */
  readonly file: string;
  /** The text without comments. */
  readonly code: string;
  readonly lines: number;
  readonly imports: readonly Import[];
}

export interface Import {
  /** As it is written. */
  readonly specifier: string;
  /** The source file it leads to, or null for a package of somebody else. */
  readonly file: string | null;
  /** Nothing is left of it at run time. */
  readonly typeOnly: boolean;
}

/** Every TypeScript file below these folders of the checkout. */
export function readSources(...folders: readonly string[]): Source[] {
  return folders.flatMap((folder) => filesBelow(folder, /\.ts$/)).map(readSource);
}

/** The workspaces that are shipped, as `packages/shared`. */
export const WORKSPACES = ['packages', 'apps'].flatMap((group) =>
  readdirSync(path.join(ROOT, group)).map((name) => `${group}/${name}`),
);

/** The text of a file of the checkout. */
export function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

/** Files below a folder whose names match, without what is built or installed. */
export function filesBelow(folder: string, name: RegExp): string[] {
  return readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = `${folder}/${entry.name}`;
    if (entry.isDirectory())
      return ['node_modules', 'dist'].includes(entry.name) ? [] : filesBelow(file, name);
    return name.test(entry.name) ? [file] : [];
  });
}

function readSource(file: string): Source {
  const text = read(file);
  const code = withoutComments(text);
  return { file, code, lines: text.split('\n').length - 1, imports: importsOf(file, code) };
}

/** Good enough for formatted code: comments begin a line or follow a space, which those in texts and URLs do not. */
function withoutComments(text: string): string {
  return text.replace(/(^|\s)\/\*[\s\S]*?\*\//g, '$1').replace(/(^|\s)\/\/ .*$/gm, '$1');
}

const STATIC = /^(?:import|export)(\s+type)?\s(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
const DYNAMIC = /\bimport\('([^']+)'\)/g;

function importsOf(file: string, code: string): Import[] {
  const found = [
    ...[...code.matchAll(STATIC)].map(([, type, specifier = '']) => ({
      specifier,
      typeOnly: type !== undefined,
    })),
    ...[...code.matchAll(DYNAMIC)].map(([, specifier = '']) => ({ specifier, typeOnly: false })),
  ];
  return found.map((one) => ({ ...one, file: resolve(file, one.specifier) }));
}

function resolve(from: string, specifier: string): string | null {
  if (specifier.startsWith('.'))
    return path.posix.join(path.posix.dirname(from), specifier).replace(/\.js$/, '.ts');
  const [, name, inside] = /^@belfry\/([a-z]+)\/(.+)\.js$/.exec(specifier) ?? [];
  const workspace = WORKSPACES.find((one) => one.endsWith(`/${name}`));
  return workspace === undefined ? null : `${workspace}/src/${inside}.ts`;
}
