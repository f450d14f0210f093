import { closeSync, existsSync, openSync, renameSync, writeSync } from 'node:fs';

const KEPT = 3;
const MAX_BYTES = 50 * 1024 * 1024;

/** Moves `file` to `file.1`, `file.1` to `file.2` and so on; the oldest goes. */
export function rotate(file: string): void {
  for (let n = KEPT; n >= 1; n--) {
    const from = n === 1 ? file : `${file}.${n - 1}`;
    if (existsSync(from)) renameSync(from, `${file}.${n}`);
  }
}

/** A log that begins anew with this process, and again whenever it has grown to 50 MB. */
export function openLog(file: string): { write(line: string): void; close(): void } {
  let fd = begin(file);
  let bytes = 0;
  return {
    write(line) {
      bytes += writeSync(fd, `${line}\n`);
      if (bytes < MAX_BYTES) return;
      closeSync(fd);
      fd = begin(file);
      bytes = 0;
    },
    close: () => closeSync(fd),
  };
}

function begin(file: string): number {
  rotate(file);
  return openSync(file, 'a', 0o600);
}
