import { setTimeout as sleep } from 'node:timers/promises';
import type { JobWorker } from '@belfry/shared/queue/queue-engine.js';
import type { Running } from '@belfry/shared/service/lifecycle.js';

const PAUSE_MS = 500;

/**
 * Keeps one BullMQ worker alive. A worker whose very first commands meet a broken line keeps that failure for ever, so
 * it is thrown away and made anew until one comes up; from then on it reconnects by itself.
 */
export function superviseWorker(make: () => JobWorker): Running {
  let stopping = false;
  let current = make();

  const rising = (async () => {
    while (!stopping) {
      const up = await current.waitUntilReady().then(
        () => true,
        () => false,
      );
      if (up || stopping) return;
      await current.close(true).catch(() => undefined);
      await sleep(PAUSE_MS);
      if (!stopping) current = make();
    }
  })();
  void rising;

  return {
    async stop() {
      stopping = true;
      await current.close();
    },
  };
}
