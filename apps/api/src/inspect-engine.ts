import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineFinding, QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import { every, type Running } from '@belfry/shared/service/lifecycle.js';
import type { Logger } from '@belfry/shared/service/log.js';
import { refuseOn } from '@belfry/shared/service/readiness.js';

/** A look at the queue engine's own configuration, which may have to wait until the engine can be reached. */
export interface Inspection extends Running {
  /** Resolves when the engine turns out later to be one that would lose jobs, with a word for why; otherwise never. */
  readonly refused: Promise<string>;
}

const PAUSE_MS = 250;
const TRIES = 4;
const AGAIN_MS = 3_000;

/**
 * Looks at the engine. Throws `StartRefused` when it would lose jobs. When it cannot be reached, calls are accepted all
 * the same, and it is looked at when it first answers.
 */
export async function inspectEngine(engine: QueueEngine, log: Logger): Promise<Inspection> {
  const findings = await lookPatiently(engine);
  if (findings === null) {
    log.warn('the queue engine cannot be reached: calls are accepted and delivered when it is back');
    return inspectLater(engine, log);
  }
  refuseOn(findings, log);
  return { refused: new Promise(() => undefined), stop: async () => undefined };
}

function inspectLater(engine: QueueEngine, log: Logger): Inspection {
  let refuse: (reason: string) => void = () => undefined;
  const refused = new Promise<string>((resolve) => {
    refuse = resolve;
  });
  const turns = every(AGAIN_MS, async () => {
    const findings = await look(engine);
    if (findings === null) return;
    void turns.stop();
    const forbidding = findings.find(({ level }) => level === 'error');
    if (forbidding === undefined) return refuseOn(findings, log);
    log.fatal({ remedy: forbidding.remedy }, forbidding.finding);
    refuse('the queue engine would lose jobs');
  });
  return { refused, stop: () => turns.stop() };
}

/** A connection that is just being opened is not yet a connection that is down. */
async function lookPatiently(engine: QueueEngine): Promise<readonly EngineFinding[] | null> {
  for (let tries = 1; ; tries += 1) {
    const findings = await look(engine);
    if (findings !== null || tries === TRIES) return findings;
    await sleep(PAUSE_MS);
  }
}

/** What is wrong with the engine, or null when it cannot be asked. */
async function look(engine: QueueEngine): Promise<readonly EngineFinding[] | null> {
  try {
    await engine.ping();
    return await engine.inspect();
  } catch {
    return null;
  }
}
