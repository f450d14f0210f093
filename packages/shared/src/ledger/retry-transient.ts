import { setTimeout as sleep } from 'node:timers/promises';
import { isTransient } from './outage.js';

const TRIES = 4;

/** Runs a transaction again when PostgreSQL undid it for a deadlock or a serialization failure; jittered, four tries at most. */
export async function retryTransient<Result>(run: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      if (!isTransient(error) || attempt === TRIES) throw error;
      await sleep(Math.random() * 20 * 2 ** attempt);
    }
  }
}
