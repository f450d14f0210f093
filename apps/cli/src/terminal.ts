import { styleText } from 'node:util';
import { visibleJson } from './text/visible.js';

/** Where text goes to; a terminal, or something that reads it on. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** What a command writes to, and what is known about who reads it. */
interface Readers {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: NodeJS.ProcessEnv;
}

type Style = Parameters<typeof styleText>[0];

/** Answers go to stdout, everything about them to stderr, so that an answer can always be piped on. */
export class Terminal {
  /** With `--json`: stdout is for programs, and holds JSON alone. */
  json = false;
  readonly #at: Readers;

  constructor(at: Readers) {
    this.#at = at;
  }

  /** The columns to fit into; undefined where nobody looks, and nothing has to be cut. */
  get width(): number | undefined {
    return this.#at.stdout.isTTY ? Math.max(40, this.#at.stdout.columns || 80) : undefined;
  }

  /** True when messages are read by somebody at a terminal, so that a bar may move there. */
  get watched(): boolean {
    return this.#at.stderr.isTTY === true && this.#at.env.TERM !== 'dumb';
  }

  /** A line of the answer. With `--json` there is none: `answer` writes it. */
  line(text = ''): void {
    if (!this.json) this.#at.stdout.write(`${text}\n`);
  }

  /** The answer for programs: one JSON value. Without `--json` there is none. */
  answer(value: unknown): void {
    if (this.json) this.#at.stdout.write(`${visibleJson(value, 2)}\n`);
  }

  /** One of many answers for programs: one object a line (https://jsonlines.org). */
  item(value: unknown): void {
    if (this.json) this.#at.stdout.write(`${visibleJson(value)}\n`);
  }

  /** A piece of an answer that is longer than should be held, as it is. */
  raw(text: string): void {
    this.#at.stdout.write(text);
  }

  /** Something about the answer, not of it. */
  note(text: string): void {
    this.#at.stderr.write(`${text}\n`);
  }

  /** Takes away what stands on the line of stderr where a bar moves. */
  clearLine(): void {
    this.#at.stderr.write('\r\u001b[K');
  }

  /** Text in a colour or weight where the reader's terminal has them (https://no-color.org). */
  paint(style: Style, text: string): string {
    const { stdout, env } = this.#at;
    const plain = !stdout.isTTY || this.json || Boolean(env.NO_COLOR) || env.TERM === 'dumb';
    // Who reads is decided here already.
    return plain || text === '' ? text : styleText(style, text, { validateStream: false });
  }
}
