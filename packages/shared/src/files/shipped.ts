import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const MARKS = ['templates', 'packages/shared/migrations'];

/** The folder that Belfry is installed in. Compiled files lie at different depths below it, bundled ones at others. */
const INSTALLATION = above(path.dirname(fileURLToPath(import.meta.url)));

/** The absolute path of a file that Belfry ships, named from the root of the installation: `apps/api/public`. */
export function shipped(file: string): string {
  return path.join(INSTALLATION, file);
}

function above(folder: string): string {
  if (MARKS.every((mark) => existsSync(path.join(folder, mark)))) return folder;
  const parent = path.dirname(folder);
  if (parent === folder)
    throw new Error(`no folder above ${import.meta.dirname} holds ${MARKS.join(' and ')}`);
  return above(parent);
}
