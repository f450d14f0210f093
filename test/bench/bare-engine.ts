import { setTimeout as sleep } from 'node:timers/promises';
import { openEngine } from '@belfry/shared/queue/engine.js';
import type { QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import { Client } from 'pg';

/** The queue of everything that has no ledger. */
export const BARE_QUEUE = 'bare.normal';

/** BullMQ on the same engine, with the same connections and bounds, and nothing of Belfry around it. */
export async function openBareEngine(workers: number): Promise<QueueEngine> {
  const databaseUrl = process.env.DATABASE_URL ?? '';
  const engine = openEngine({
    redisUrl: process.env.REDIS_URL,
    databaseUrl,
    name: 'bare',
    workers,
    onError: (error) => process.stderr.write(`bare: ${error.message}\n`),
  });
  if (engine.kind === 'postgres') await migrate(engine, databaseUrl);
  for (let tries = 0; !(await answers(engine)); tries += 1) {
    if (tries === 50) throw new Error('The engine does not answer.');
    await sleep(100);
  }
  return engine;
}

async function migrate(engine: QueueEngine, databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000 });
  await client.connect();
  await engine.migrate(client);
  await client.end();
}

function answers(engine: QueueEngine): Promise<boolean> {
  return engine.ping().then(
    () => true,
    () => false,
  );
}
