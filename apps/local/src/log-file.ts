import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readSync,
  renameSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { StringDecoder } from 'node:string_decoder';

const KEPT = 3;
const MAX_BYTES = 50 * 1024 * 1024;
const POLL_MS = 150;

/** Moves `file` to `file.1`, `file.1` to `file.2` and so on; the oldest goes. */
export function rotate(file: string): void {
  for (let n = KEPT; n >= 1; n--) {
    const from = n === 1 ? file : `${file}.${n - 1}`;
    if (existsSync(from)) renameSync(from, `${file}.${n}`);
  }
}

/** A log that a child process writes itself, and that is read along here. */
export type LogFile = {
  /** Hand this to the child as its stdout. */
  readonly fd: number;
  /** Adds a line of our own. */
  write(line: string): void;
  /** Reads what has been written up to now. */
  drain(): void;
  /** Reads the rest and lets go of the file. Twice is fine. */
  close(): void;
};

/**
 * Begins a log anew and tells each line that is written to it. The child writes to the file and not to a pipe of ours:
 * when we are killed, a pipe would break, and a logger that cannot write may keep its process from ending. Emptied, with
 * its content kept beside it, when it has grown to 50 MB.
 */
export function openLog(file: string, onLine: (line: string) => void): LogFile {
  rotate(file);
  // append: after the file was emptied the child goes on at its beginning
  const fd = openSync(file, 'a+', 0o600);
  const buffer = Buffer.alloc(64 * 1024);
  let decoder = new StringDecoder('utf8');
  let position = 0;
  let rest = '';
  let closed = false;
  const timer = setInterval(drain, POLL_MS);

  function drain(): void {
    if (closed) return;
    for (let bytes = read(); bytes > 0; bytes = read()) {
      position += bytes;
      const lines = (rest + decoder.write(buffer.subarray(0, bytes))).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    }
    if (position < MAX_BYTES) return;
    copyFileSync(file, `${file}.1`);
    truncateSync(file);
    position = 0;
    decoder = new StringDecoder('utf8');
  }

  function read(): number {
    return readSync(fd, buffer, 0, buffer.length, position);
  }

  function close(): void {
    drain();
    clearInterval(timer);
    if (!closed) closeSync(fd);
    closed = true;
  }

  const write = (line: string) => {
    if (!closed) writeSync(fd, `${line}\n`);
  };
  return { fd, write, drain, close };
}
