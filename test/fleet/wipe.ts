import type { Fleet } from '../support/fleet.js';

/** Empties the engine, as an operator's mistake would. */
export async function wipe({ redis, database }: Fleet): Promise<void> {
  if (redis === undefined) await database.query('DELETE FROM bullmq.job');
  else await redis.flushAll();
}
