import { createReadStream, open as openFile } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { type Readable, Transform } from 'node:stream';
import { promisify } from 'node:util';
import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { upload } from '../api/upload.js';
import { Failure } from '../failure.js';
import type { Shell } from '../shell.js';
import type { Terminal } from '../terminal.js';
import { span } from '../text/times.js';
import { visible } from '../text/visible.js';

/** `belfry users import`: people from a file with one JSON object a line, however many. */
export function addImport(users: Command, shell: Shell): void {
  users
    .command('import')
    .description('add or change many people, from NDJSON: one JSON object a line')
    .argument('<file>', 'the file; - is standard input')
    .addHelpText(
      'after',
      `
A line is what users put takes, with the id: {"id": "abebe", "email": "abebe@example.com", "locale": "am"}
A line that cannot be used is reported with its number and harms no other; then the exit code is 1.
The file is read as it is sent. Importing it again changes nothing twice.`,
    )
    .action((file: string) => importPeople(shell, file));
}

/** What the API says while it imports, a line for each thing. */
type Said =
  | {
      readonly type: 'refused';
      readonly line: number;
      readonly detail?: string;
      readonly errors?: readonly FieldError[];
    }
  | { readonly type: 'progress'; readonly lines: number; readonly imported: number }
  | Summary;

interface FieldError {
  readonly path?: string;
  readonly message?: string;
}

interface Summary {
  readonly type: 'summary';
  readonly lines: number;
  readonly imported: number;
  readonly created: number;
  readonly updated: number;
  readonly refused_count: number;
  /** False when something stopped it before its end, which is then the problem. */
  readonly complete: boolean;
  readonly problem?: { readonly detail?: string };
}

async function importPeople(shell: Shell, file: string): Promise<void> {
  const { terminal, stopped } = shell;
  const { source, bytes } = await open(shell, file);
  const { access } = await shell.client();
  const progress = progressOn(terminal, bytes);
  source.once('error', (error) =>
    progress.counter.destroy(new Failure(`${visible(file)} cannot be read: ${visible(error.message)}.`)),
  );
  let summary: Summary | undefined;
  try {
    for await (const one of upload(access, '/users/import', source.pipe(progress.counter), stopped)) {
      const said = one as Said;
      if (said.type === 'summary') {
        summary = said;
        if (said.complete) progress.heard(said);
        // It says the end, also where it says so before the whole file was sent.
        break;
      }
      if (said.type === 'refused') progress.interrupt(() => report(terminal, said));
      else if (said.type === 'progress') progress.heard(said);
    }
  } finally {
    progress.stop();
    source.destroy();
  }
  if (summary === undefined) throw new Failure('The import broke off before its end.', AGAIN);
  terminal.item(summary);
  const { imported, created, updated, refused_count: refused, complete, problem } = summary;
  terminal.line(`${imported} imported: ${created} new, ${updated} changed; ${refused} refused.`);
  if (!complete) {
    throw new Failure(
      `The import stopped before its end: ${visible(problem?.detail ?? 'no reason was given')}`,
      AGAIN,
    );
  }
  if (refused > 0) throw new Failure(`${refused} ${refused === 1 ? 'line was' : 'lines were'} refused.`);
}

const AGAIN = 'What was taken stays; importing the same file again changes nothing twice.';

async function open(
  { stdin, path }: Shell,
  file: string,
): Promise<{ source: Readable; bytes: number | undefined }> {
  if (file === '-') return { source: stdin, bytes: undefined };
  const found = await stat(path(file)).catch((error: NodeJS.ErrnoException) => {
    throw new Failure(
      `${visible(file)} cannot be read: ${error.code === 'ENOENT' ? 'there is no such file' : visible(error.message)}.`,
    );
  });
  if (found.isDirectory()) throw new Failure(`${visible(file)} is a folder, not a file.`);
  // Reading a file cannot be called off, and would keep the command from ending until somebody writes into the pipe.
  if (found.isFIFO())
    return { source: new Socket({ fd: await promisify(openFile)(path(file), 'r') }), bytes: undefined };
  return { source: createReadStream(path(file)), bytes: found.isFile() ? found.size : undefined };
}

interface Progress {
  /** What the bytes go through. */
  readonly counter: Transform;
  /** How many lines the API has read by now, and how many people it has. */
  heard(said: { readonly lines: number; readonly imported: number }): void;
  /** Writes lines past the bar. */
  interrupt(write: () => void): void;
  stop(): void;
}

/** Between two lines of progress where no bar can move, in milliseconds. */
const TELL_EVERY_MS = 5_000;

/** A bar where somebody watches, otherwise a line now and then; both on stderr. */
function progressOn(terminal: Terminal, bytes: number | undefined): Progress {
  let sent = 0;
  let lines = 0;
  let read = 0;
  let people = 0;
  const bar = terminal.watched && bytes !== undefined ? new SingleBar(BAR) : undefined;
  bar?.start(Math.max(1, bytes ?? 1), 0, { people, lines });
  let toldAt = performance.now();
  const told = () => {
    // What is sent is long on its way before it is read; a line is taken to be as long as the others.
    bar?.update(lines === 0 ? 0 : Math.min(sent, Math.round((sent * read) / lines)), { people, lines: read });
    if (bar !== undefined || performance.now() - toldAt < TELL_EVERY_MS) return;
    toldAt = performance.now();
    terminal.note(`${read} lines read, ${people} people imported`);
  };
  return {
    counter: new Transform({
      transform(chunk: Buffer, _encoding, done) {
        sent += chunk.length;
        for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1;
        told();
        done(null, chunk);
      },
    }),
    heard(said) {
      read = said.lines;
      people = said.imported;
      told();
    },
    interrupt(write) {
      if (bar === undefined) return write();
      // The bar's line is cleared, and drawn anew below what is written.
      terminal.clearLine();
      write();
      bar.render?.();
    },
    stop: () => bar?.stop(),
  };
}

const BAR = {
  format: '{bar} {percentage}%  {lines} lines read, {people} people imported{eta_formatted}',
  // Before the first of it has been read, nobody knows: the library has words then.
  formatTime: (s: number | string) => (typeof s === 'number' && s > 0 ? `, ${span(s * 1_000)} left` : ''),
  barCompleteChar: '█',
  barIncompleteChar: '░',
  barsize: 30,
  fps: 8,
  hideCursor: true,
  stopOnComplete: false,
  etaBuffer: 50,
};

function report(terminal: Terminal, refusal: Extract<Said, { type: 'refused' }>): void {
  terminal.item(refusal);
  const errors = (refusal.errors ?? []).map(({ path, message }) =>
    path ? `${path} ${message}` : `${message}`,
  );
  const why = errors.length > 0 ? errors.join('; ') : (refusal.detail ?? 'refused');
  terminal.line(`line ${refusal.line}: ${visible(why)}`);
}
