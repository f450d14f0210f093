import type { Fleet } from '../support/fleet.js';
import { waitFor } from '../support/wait.js';

/** Empties the engine, as an operator's mistake would. */
export async function wipe({ redis, database }: Fleet): Promise<void> {
  // Whoever works on them at this moment may be in each other's way; then it is asked again.
  if (redis === undefined) await waitFor(() => database.query('DELETE FROM bullmq.job'), { what: 'a wipe' });
  else await redis.flushAll();
}
