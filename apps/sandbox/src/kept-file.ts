import { mkdir, readFile, writeFile } from 'node:fs/promises';
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
