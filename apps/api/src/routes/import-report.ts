import { once } from 'node:events';
import { Refusal, refusalWith } from '@belfry/shared/domain/refusal.js';
import type { ImportCounts } from '@belfry/shared/ledger/import-people.js';
import type { Request, Response } from 'express';
import { type Problem, problemOf } from '../middleware/problem.js';
import type { RefusedLine } from './imported-line.js';

/** How far an import has come: what is committed, and how many lines have been looked at. */
export interface ImportState extends ImportCounts {
  readonly importId: string;
  readonly lines: number;
}

/** Tells the caller how an import goes. */
export interface ImportReport {
  refused(line: RefusedLine): Promise<void>;
  /** After every chunk. */
  progress(state: ImportState): Promise<void>;
  /** The end. With a refusal, what stopped it before its end. */
  end(state: ImportState, stoppedBy?: Refusal): void;
}

export const NDJSON = 'application/x-ndjson';

/** One JSON document at the end, or, for who accepts `application/x-ndjson`, a line for each thing as it happens. */
export function reportFor(req: Request, res: Response): ImportReport {
  return req.accepts(['application/json', NDJSON]) === NDJSON ? asLines(res) : asOne(res);
}

/** Refused lines in a single document; the others are counted. */
export const MOST_REFUSED = 100;

function asOne(res: Response): ImportReport {
  const shown: RefusedLine[] = [];
  return {
    async refused(line) {
      if (shown.length < MOST_REFUSED) shown.push(line);
    },
    async progress() {},
    end(state, stoppedBy) {
      const summary = {
        ...countsOf(state),
        refused: shown,
        refused_omitted: state.refused - shown.length,
      };
      if (stoppedBy !== undefined) throw refusalWith(stoppedBy, summary);
      res.json(summary);
    },
  };
}

function asLines(res: Response): ImportReport {
  const say = (type: string, facts: object) => {
    if (!res.headersSent) res.type(NDJSON).set('Cache-Control', 'no-store');
    res.write(`${JSON.stringify({ type, ...facts })}\n`);
  };
  const write = async (type: string, facts: object) => {
    say(type, facts);
    if (res.writableLength > MOST_UNREAD) await untilRead(res);
  };
  return {
    refused: (line) => write('refused', line),
    progress: (state) => write('progress', countsOf(state)),
    end(state, stoppedBy) {
      const problem: Problem | undefined = stoppedBy === undefined ? undefined : problemOf(stoppedBy);
      say('summary', {
        ...countsOf(state),
        complete: problem === undefined,
        ...(problem === undefined ? {} : { problem }),
      });
      res.end();
    },
  };
}

/** Bytes of the answer that may wait for their reader. */
const MOST_UNREAD = 256 * 1024;
const READ_WITHIN_MS = 30_000;

/** Who sends lines without reading what is said about them is waited for, but not for ever. */
async function untilRead(res: Response): Promise<void> {
  if (res.destroyed) return;
  try {
    await once(res, 'drain', { signal: AbortSignal.timeout(READ_WITHIN_MS) });
  } catch (error) {
    throw new Refusal('too_slow', 'The answer is not being read.', { cause: error });
  }
}

function countsOf({ importId, lines, created, updated, refused }: ImportState) {
  return {
    import_id: importId,
    lines,
    imported: created + updated,
    created,
    updated,
    refused_count: refused,
  };
}
