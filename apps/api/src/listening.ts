import type { Database } from '@belfry/shared/ledger/database.js';
import { keepListening } from '@belfry/shared/ledger/heartbeats.js';
import type { Events } from '@belfry/shared/service/events.js';
import { every, type Running } from '@belfry/shared/service/lifecycle.js';

const EVERY_MS = 1_000;

/** Says in the ledger, again and again, that beats are heard here. While nobody says so, no heartbeat is missed. */
export function startListening(database: Database, events: Events): Running {
  return every(EVERY_MS, async () => {
    try {
      const deaf = await keepListening(database);
      if (deaf !== null) events.heartbeatsSpared({ deafMs: deaf.deafMs, heartbeats: deaf.given });
    } catch (error) {
      events.upkeepFailed({ task: 'listening', error });
    }
  });
}
