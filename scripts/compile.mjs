import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bundle, isBundled } from './bundle.mjs';
import { fail, run, say, since } from './progress.mjs';

const BUNDLING = ['scripts/bundle.mjs', 'scripts/programs.mjs'];

/** True when nothing that the compiler reads has changed since the last build, and the output is there. */
export function isBuilt(root) {
  const projects = findProjects(root);
  return (
    projects.every(({ out }) => existsSync(out)) &&
    isBundled(root) &&
    readStamp(root) === fingerprint(root, projects)
  );
}

/** Compiles what is stale, and bundles the programs. */
export async function build(root, { quiet = false } = {}) {
  const startedAt = performance.now();
  const projects = findProjects(root);
  const fresh = !projects.some(({ out }) => existsSync(out));
  if (!quiet)
    say(fresh ? 'Building (once; about a minute, more on a slow machine)' : 'Building what has changed');
  for (const project of projects) dropLeftovers(project);
  const before = fingerprint(root, projects);
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const code = await run('building', process.execPath, [tsc, '-b'], { cwd: root });
  if (code !== 0) fail('The build failed; what the compiler said is above.');
  await bundle(root);
  writeFileSync(stampFile(root), before);
  if (!quiet) say(`Built in ${since(startedAt)}`);
}

function findProjects(root) {
  const { references } = JSON.parse(readFileSync(path.join(root, 'tsconfig.json'), 'utf8'));
  return references.map(({ path: folder }) => {
    const dir = path.join(root, folder);
    // Sources lie in src, those of the tests beside their project file.
    const source = existsSync(path.join(dir, 'src')) ? path.join(dir, 'src') : dir;
    return { dir, source, out: path.join(dir, 'dist') };
  });
}

// The compiler trusts its own notes: when the output was deleted it would say that all is well. And it never
// removes the output of a source that is gone, so that a deleted test would run for ever.
function dropLeftovers({ dir, source, out }) {
  if (!existsSync(out)) return rmSync(path.join(dir, 'tsconfig.tsbuildinfo'), { force: true });
  for (const file of filesBelow(out)) {
    if (!file.endsWith('.js')) continue;
    const stem = file.slice(0, -3);
    const origin = path.join(source, path.relative(out, stem));
    if (existsSync(`${origin}.ts`) || existsSync(`${origin}.tsx`) || !existsSync(`${stem}.d.ts`)) continue;
    for (const end of ['.js', '.js.map', '.d.ts', '.d.ts.map']) rmSync(stem + end, { force: true });
  }
}

// Names, sizes and times of all sources: some milliseconds, where asking the compiler costs a second.
function fingerprint(root, projects) {
  const hash = createHash('sha256');
  const note = (file) => {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${path.relative(root, file)} ${size} ${mtimeMs}\n`);
  };
  for (const name of ['tsconfig.json', 'tsconfig.base.json', 'package-lock.json', ...BUNDLING])
    note(path.join(root, name));
  for (const { dir, source } of projects) {
    for (const name of ['tsconfig.json', 'package.json']) note(path.join(dir, name));
    for (const file of filesBelow(source)) if (/\.tsx?$/.test(file)) note(file);
  }
  return hash.digest('hex');
}

function filesBelow(dir) {
  return readdirSync(dir, { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules' && name !== 'dist' && !name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const file = path.join(dir, entry.name);
      return entry.isDirectory() ? filesBelow(file) : [file];
    });
}

function stampFile(root) {
  return path.join(root, 'node_modules', '.belfry-built');
}

function readStamp(root) {
  try {
    return readFileSync(stampFile(root), 'utf8');
  } catch {
    return undefined;
  }
}
