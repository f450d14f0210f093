import { newId } from '@belfry/shared/domain/ids.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import {
  type ImportCounts,
  type ImportMark,
  importChunk,
  recordBrokenImport,
} from '@belfry/shared/ledger/import-people.js';
import type { PersonWrite } from '@belfry/shared/ledger/write-people.js';
import type { Catalogue } from '@belfry/shared/templates/catalogue.js';
import { type Request, type RequestHandler, Router } from 'express';
import { allow, callerOf } from '../middleware/authenticate.js';
import { asRefusal } from '../middleware/errors.js';
import { linesOf } from '../middleware/lines.js';
import { type ImportReport, type ImportState, NDJSON, reportFor } from './import-report.js';
import { LONGEST_LINE, readLine } from './imported-line.js';

/** A body once it is unpacked: some five million people. */
const LARGEST_BODY = 1024 ** 3;
/** What is written at once: this many lines, or lines of this many bytes together. */
const CHUNK_LINES = 500;
const CHUNK_BYTES = 512 * 1024;
/** Imports that one process takes on at once. */
const MOST_AT_ONCE = 4;

/**
 * Many people in one call, as lines of JSON. They are read, checked and committed chunk by chunk: what is held in memory is one
 * chunk, nothing is read while one is being written, and no connection to the database is held while the caller is waited for.
 */
export function importingRoutes(database: Database, catalogue: Catalogue): Router {
  const router = Router({ caseSensitive: true });
  let running = 0;

  router.post('/users/import', allow('admin'), takesLines, async (req, res) => {
    if (running >= MOST_AT_ONCE) {
      throw new Refusal('rate_limited', `Too Many Requests: ${MOST_AT_ONCE} imports are running.`, {
        retryAfterMs: 5_000,
      });
    }
    running += 1;
    try {
      await runImport({ database, catalogue }, req, reportFor(req, res));
    } finally {
      running -= 1;
    }
  });

  return router;
}

const takesLines: RequestHandler = (req, _res, next) => {
  // Who sends nothing imports nobody, and need not say what it is.
  const empty =
    req.headers['transfer-encoding'] === undefined && Number(req.headers['content-length'] ?? 0) === 0;
  if (!empty && !req.is([NDJSON, 'application/ndjson', 'application/jsonl'])) {
    throw noLines();
  }
  next();
};

export function noLines(): Refusal {
  return new Refusal(
    'unsupported_media_type',
    `Send lines of JSON, with the header Content-Type: ${NDJSON}.`,
  );
}

interface Chunk {
  readonly people: PersonWrite[];
  lines: number;
  bytes: number;
}

async function runImport(
  { database, catalogue }: { database: Database; catalogue: Catalogue },
  req: Request,
  report: ImportReport,
): Promise<void> {
  const one = { id: newId(), actor: callerOf(req) };
  let counts: ImportCounts = { created: 0, updated: 0, refused: 0 };
  let lines = 0;
  let begun = false;
  let chunk = emptyChunk();
  const state = (): ImportState => ({ importId: one.id, lines, ...counts });

  async function write(isLast: boolean): Promise<void> {
    const { people } = chunk;
    const mark = markOf(isLast, begun, people.length > 0);
    if (people.length > 0 || mark !== null) counts = await importChunk(database, one, people, counts, mark);
    begun ||= mark !== null;
    chunk = emptyChunk();
  }

  try {
    for await (const some of linesOf(req, { line: LONGEST_LINE, body: LARGEST_BODY })) {
      for (const line of some) {
        // Only when more has come: so the last chunk is known for what it is when it is written.
        if (chunk.lines >= CHUNK_LINES || chunk.bytes >= CHUNK_BYTES) {
          await write(false);
          await report.progress(state());
        }
        lines += 1;
        chunk.lines += 1;
        chunk.bytes += line.bytes?.length ?? 0;
        const read = readLine(line, catalogue);
        if (read.kind === 'person') chunk.people.push(read.person);
        else {
          counts = { ...counts, refused: counts.refused + 1 };
          await report.refused(read.refused);
        }
      }
    }
    await write(true);
  } catch (error) {
    // Without the database this cannot be written down; that it had begun is.
    if (begun) await recordBrokenImport(database, one, counts).catch(() => undefined);
    const refusal = asRefusal(error, req);
    if (refusal === null) throw error;
    report.end(state(), refusal);
    return;
  }
  report.end(state());
}

function emptyChunk(): Chunk {
  return { people: [], lines: 0, bytes: 0 };
}

/** An import that changed nobody leaves no trace; any other leaves one, and two when it is longer than a chunk. */
function markOf(isLast: boolean, begun: boolean, writes: boolean): ImportMark | null {
  if (begun) return isLast ? 'ended' : null;
  if (!writes) return null;
  return isLast ? 'whole' : 'begun';
}
