import { DelayedError, type Job, UnrecoverableError } from 'bullmq';

/** Thrown by a processor whose ledger row says that the delivery is due again in `delayMs`: BullMQ counts the attempt. */
export class RetryLater extends Error {
  override readonly name = 'RetryLater';
  readonly delayMs: number;
  constructor(reason: string, delayMs: number) {
    super(reason);
    this.delayMs = delayMs;
  }
}

/** BullMQ's backoff: the delay is the one that the ledger already holds. */
export function ledgerBackoff(_attemptsMade: number, _type?: string, error?: Error): number {
  return error instanceof RetryLater ? error.delayMs : 1_000;
}

/** Ends the job as failed for good; it stays visible with this reason. */
export function giveUp(reason: string): never {
  throw new UnrecoverableError(reason);
}

/** Puts the job back for `delayMs` without counting an attempt. */
export async function putBack(job: Job, token: string, delayMs: number): Promise<never> {
  await job.moveToDelayed(Date.now() + Math.max(1, Math.ceil(delayMs)), token);
  throw new DelayedError();
}
