import { createHash } from 'node:crypto';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { KeptAnswer } from '@belfry/shared/ledger/accept.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { type EarlierAnswer, findAnswer } from '@belfry/shared/ledger/idempotency.js';
import type { Notifier, Prepared } from '@belfry/shared/notify/notifier.js';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { callerOf } from './authenticate.js';
import { parse } from './parse.js';

/** What a call is going to write and to answer. */
export interface Making {
  readonly prepared: readonly Prepared[];
  readonly status: number;
  readonly body: unknown;
}

/** Commits what `make` prepares and answers with it; with an `Idempotency-Key`, exactly once. */
export type Once = (req: Request, res: Response, make: () => Promise<Making>) => Promise<void>;

/** How an act ended: its answer, or `taken` when another call with the same key was first. */
export type Acted =
  | { readonly kind: 'done'; readonly status: number; readonly body: unknown }
  | { readonly kind: 'taken' };

/** The answer as it must be kept, in the commit of the act itself; null when the call has no key. */
export type Keep = (status: number, body: unknown) => KeptAnswer | null;

/** Does what `act` does and answers with it; with an `Idempotency-Key`, once for each key. */
export type Keyed = (req: Request, res: Response, act: (keep: Keep) => Promise<Acted>) => Promise<void>;

interface Key {
  readonly caller: string;
  readonly key: string;
  readonly fingerprint: string;
}

/**
 * The `Idempotency-Key` header, as in the IETF draft of that name: the same key and body get the first answer again,
 * another body is refused with 422, and a call whose first is still running gets 409. The answer is written in the same
 * commit as what the call did, so no crash can part them.
 */
export function createKeyed(database: Database): Keyed {
  const running = new Set<string>();

  async function first(res: Response, key: Key | null, act: (keep: Keep) => Promise<Acted>): Promise<void> {
    const earlier = key === null ? null : await findAnswer(database, key.caller, key.key);
    if (key !== null && earlier !== null) return replay(res, key, earlier);
    const acted = await act((status, body) => (key === null ? null : { ...key, status, body }));
    if (acted.kind === 'done') return answer(res, acted.status, acted.body);
    const winner = key === null ? null : await findAnswer(database, key.caller, key.key);
    if (key === null || winner === null) throw stillRunning();
    return replay(res, key, winner);
  }

  return async (req, res, act) => {
    const key = readKey(req);
    if (key === null) return first(res, null, act);
    const name = JSON.stringify([key.caller, key.key]);
    if (running.has(name)) throw stillRunning();
    running.add(name);
    try {
      await first(res, key, act);
    } finally {
      running.delete(name);
    }
  };
}

/** The same for what makes notifications: they are committed together with their answer. */
export function createOnce(keyed: Keyed, notifier: Notifier): Once {
  return (req, res, make) =>
    keyed(req, res, async (keep) => {
      const { prepared, status, body } = await make();
      const result = await notifier.commit(prepared, keep(status, body));
      return result === 'taken' ? { kind: 'taken' } : { kind: 'done', status, body };
    });
}

export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters');

function readKey(req: Request): Key | null {
  const key = req.get('Idempotency-Key');
  if (key === undefined) return null;
  parse(z.object({ 'Idempotency-Key': idempotencyKey }), { 'Idempotency-Key': key });
  const asked = JSON.stringify([req.method, req.baseUrl + req.path, req.body ?? null]);
  return { caller: callerOf(req).sub, key, fingerprint: createHash('sha256').update(asked).digest('hex') };
}

export function stillRunning(): Refusal {
  return new Refusal('conflict', 'A call with this Idempotency-Key is still running.', {
    reason: 'idempotency_key_in_use',
    retryAfterMs: 1_000,
  });
}

export function keyReused(): Refusal {
  return new Refusal('invalid', 'This Idempotency-Key was used for another request.', {
    reason: 'idempotency_key_reused',
  });
}

function replay(res: Response, key: Key, earlier: EarlierAnswer): void {
  if (earlier.fingerprint !== key.fingerprint) throw keyReused();
  res.set('Idempotency-Replayed', 'true');
  answer(res, earlier.status, earlier.body);
}

function answer(res: Response, status: number, body: unknown): void {
  res.status(status);
  if (status >= 400) res.type('application/problem+json').send(JSON.stringify(body));
  else res.json(body);
}
