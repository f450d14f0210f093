import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../ledger/database.js';
import { isMigrated } from '../ledger/migrate.js';
import type { EngineFinding, QueueEngine } from '../queue/queue-engine.js';
import type { Logger } from './log.js';
import { StartRefused } from './or-exit.js';

const PAUSE_MS = 500;

/** Waits until the ledger can be reached and has every migration of this build. Says once what it waits for. */
export async function awaitSchema(database: Database, log: Logger): Promise<void> {
  await awaitCondition(log, 'waiting for the database and its migrations', () => isMigrated(database.pool));
}

/** Waits until the queue engine answers, and refuses an engine that would lose jobs. */
export async function awaitEngine(engine: QueueEngine, log: Logger): Promise<void> {
  let findings: readonly EngineFinding[] = [];
  await awaitCondition(log, 'waiting for the queue engine', async () => {
    await engine.ping();
    // It may be gone again by now, and is waited for like before.
    findings = await engine.inspect();
    return true;
  });
  refuseOn(findings, log);
}

/** Warns of what is unwise; throws `StartRefused` for what would lose messages. */
export function refuseOn(findings: readonly EngineFinding[], log: Logger): void {
  for (const { level, finding, remedy } of findings) {
    if (level === 'error') throw new StartRefused(`${finding}\n${remedy}`);
    log.warn({ remedy }, finding);
  }
}

async function awaitCondition(log: Logger, what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let told = false; !(await holds().catch(() => false)); ) {
    if (!told) log.info(what);
    told = true;
    await sleep(PAUSE_MS);
  }
}
