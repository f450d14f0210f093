import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * A text that is made once and kept in a folder, readable by its owner alone, so that it is the same after a restart. Without a
 * folder it is made anew each time.
 *
 * @param good whether what is kept will still do.
 */
export async function kept(
  folder: string | undefined,
  name: string,
  make: () => Promise<string>,
  good: (text: string) => boolean = () => true,
): Promise<string> {
  if (folder === undefined) return make();
  const file = path.join(folder, name);
  const there = await readFile(file, 'utf8').catch(() => undefined);
  if (there !== undefined && there !== '' && good(there)) return there;
  const made = await make();
  await mkdir(folder, { recursive: true });
  await writeFile(file, made, { mode: 0o600 });
  return made;
}

/**
 * Keeps a text that changes in a file that only its owner reads. What it gives is called after each change, and resolves when the
 * change is in the file; many changes at once are written once.
 */
export function keeper(folder: string, name: string, text: () => string): () => Promise<void> {
  const file = path.join(folder, name);
  let last: Promise<void> = Promise.resolve();
  let waiting: Promise<void> | undefined;

  async function write(): Promise<void> {
    waiting = undefined;
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(`${file}.new`, text(), { mode: 0o600 });
    await rename(`${file}.new`, file);
  }

  return () => {
    if (waiting === undefined) {
      waiting = last.catch(() => undefined).then(write);
      last = waiting;
    }
    return waiting;
  };
}
