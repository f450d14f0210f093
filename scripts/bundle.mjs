import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { PROGRAMS } from './programs.mjs';

/** Whether every program of the apps that are here has its bundle. */
export function isBundled(root) {
  return appsOf(root).every(({ outputs }) => outputs.every((file) => existsSync(path.join(root, file))));
}

/**
 * Puts each app's compiled programs, and all that they import, into a few files: a process that opens five of them instead
 * of a thousand is ready in half the time.
 */
export async function bundle(root) {
  const apps = appsOf(root);
  if (apps.length === 0) return;
  const { build } = await import('esbuild');
  await Promise.all(
    apps.map(({ dir, outputs }) => {
      const outdir = path.join(root, dir, 'bundle');
      rmSync(outdir, { recursive: true, force: true });
      return build({
        absWorkingDir: root,
        entryPoints: outputs.map((file) => path.join(root, file.replace('/bundle/', '/dist/'))),
        outbase: path.join(root, dir, 'dist'),
        outdir,
        ...FOR_NODE,
        sourcemap: 'linked',
        sourcesContent: false,
        external: NATIVE,
        plugins: [leaveLazyPackages],
      });
    }),
  );
}

/** Optional, and compiled for one machine: whoever asks for them does without when they are not there. */
export const NATIVE = ['pg-native', 'msgpackr-extract'];

/** What packages of the older kind find in every file of theirs. */
const COMMONJS = `import { createRequire as belfryRequire } from 'node:module';
const require = belfryRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;`;

/** How everything is bundled. */
export const FOR_NODE = {
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  banner: { js: COMMONJS },
  logLevel: 'warning',
};

/** A package that is loaded only when it is needed (a provider's SDK) stays where npm put it. */
export const leaveLazyPackages = {
  name: 'leave-lazy-packages',
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ kind, path: name }) =>
      kind === 'dynamic-import' ? { path: name, external: true } : undefined,
    );
  },
};

function appsOf(root) {
  const dirs = [...new Set(PROGRAMS.map((file) => file.split('/bundle/')[0]))];
  return dirs
    .filter((dir) => existsSync(path.join(root, dir, 'package.json')))
    .map((dir) => ({ dir, outputs: PROGRAMS.filter((file) => file.startsWith(`${dir}/`)) }));
}
