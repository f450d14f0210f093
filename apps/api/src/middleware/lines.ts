import { pipeline, Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { Request } from 'express';
import { arriving } from './arrival.js';

/** One line of a body, without its end. */
export interface Line {
  /** From 1 on; empty lines count. */
  readonly number: number;
  /** Null when it was longer than a line may be: it is not kept. */
  readonly bytes: Buffer | null;
}

export interface LineBounds {
  /** Of one line, in bytes. */
  readonly line: number;
  /** Of the whole body once it is unpacked, in bytes. */
  readonly body: number;
}

/** As much as a socket gives at once. */
const AT_ONCE = 64 * 1024;

const UNPACK: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip({ chunkSize: AT_ONCE }),
  deflate: () => createInflate({ chunkSize: AT_ONCE }),
  br: () => createBrotliDecompress({ chunkSize: AT_ONCE }),
};

/**
 * The lines of a body as they come, some at a time; empty ones are left out. Nothing is read before it is asked for, and no more
 * than one line and one chunk are held. Throws `Refusal` for a body that is too large, too slow, broken off or not unpackable.
 */
export async function* linesOf(req: Request, bounds: LineBounds): AsyncGenerator<Line[], void> {
  const cut = createCutter(bounds.line);
  let size = 0;
  if (Number(req.headers['content-length'] ?? 0) > bounds.body) throw tooLarge();
  for await (const chunk of unpacked(req)) {
    size += chunk.length;
    if (size > bounds.body) throw tooLarge();
    yield cut.lines(chunk);
  }
  yield cut.rest();
}

export function notUnpackable(cause?: unknown): Refusal {
  return new Refusal('invalid', 'The body cannot be unpacked.', { reason: 'invalid_encoding', cause });
}

export function tooLarge(): Refusal {
  return new Refusal('too_large', 'The body is larger than this route takes.');
}

/** The body, unpacked as its `Content-Encoding` says. */
async function* unpacked(req: Request): AsyncGenerator<Buffer, void> {
  const encoding = (req.get('Content-Encoding') ?? 'identity').toLowerCase();
  if (encoding === 'identity') return yield* arriving(req);
  const unpack = Object.hasOwn(UNPACK, encoding) ? UNPACK[encoding] : undefined;
  if (unpack === undefined) {
    throw new Refusal(
      'unsupported_media_type',
      'Send lines as they are, or compressed with gzip, deflate or br.',
    );
  }
  const plain = unpack();
  // An error of either reaches the loop below; the callback is only there because one must be.
  pipeline(Readable.from(arriving(req)), plain, () => undefined);
  try {
    for await (const chunk of plain) yield chunk;
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw notUnpackable(error);
  }
}

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Cuts chunks into lines, wherever the chunks begin and end. */
function createCutter(most: number) {
  let number = 0;
  let held: Buffer[] = [];
  let length = 0;

  /** Keeps the beginning of a line, unless it is too long already. */
  function hold(piece: Buffer): void {
    length += piece.length;
    if (length > most) held = [];
    // A copy: a part of a chunk would keep the whole of it.
    else if (piece.length > 0) held.push(Buffer.from(piece));
  }

  function end(): Line | null {
    number += 1;
    const bytes = length > most ? null : withoutMark(Buffer.concat(held));
    held = [];
    length = 0;
    return bytes !== null && isBlank(bytes) ? null : { number, bytes };
  }

  function withoutMark(bytes: Buffer): Buffer {
    return number === 1 && bytes.subarray(0, 3).equals(BYTE_ORDER_MARK) ? bytes.subarray(3) : bytes;
  }

  return {
    lines(chunk: Buffer): Line[] {
      const found: Line[] = [];
      let at = 0;
      for (let stop = chunk.indexOf(NEWLINE); stop !== -1; stop = chunk.indexOf(NEWLINE, at)) {
        hold(chunk.subarray(at, stop));
        at = stop + 1;
        const line = end();
        if (line !== null) found.push(line);
      }
      hold(chunk.subarray(at));
      return found;
    },
    /** The last line, which need not have an end. */
    rest(): Line[] {
      const line = length > 0 ? end() : null;
      return line === null ? [] : [line];
    },
  };
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
