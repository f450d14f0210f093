import type { Database } from '../ledger/database.js';
import { dueTasks, takeTurn } from '../ledger/waiting.js';
import type { Events } from '../service/events.js';
import { every, type Running } from '../service/lifecycle.js';

/** Something that one process of the fleet does, once an interval. */
export interface Turn {
  readonly task: string;
  readonly everyMs: number;
  readonly run: () => Promise<unknown>;
}

/** Whose turn it is, is asked at least this often, and four times in the shortest interval. */
const LONGEST_LOOK_MS = 250;
const SHORTEST_LOOK_MS = 50;

/**
 * Does each task when its time has come and no other process has taken its turn. One look serves all of them, more often than the
 * shortest interval, so that a turn whose holder died is not missed by a whole one. A task that takes long, or fails, keeps no
 * other waiting, and is not begun twice.
 */
export function takeTurns(database: Database, events: Events, turns: readonly Turn[]): Running {
  const shortest = Math.min(...turns.map(({ everyMs }) => everyMs));
  const underWay = new Map<string, Promise<void>>();

  async function take({ task, everyMs, run }: Turn): Promise<void> {
    try {
      if (await takeTurn(database, task, everyMs)) await run();
    } catch (error) {
      events.upkeepFailed({ task, error });
    } finally {
      underWay.delete(task);
    }
  }

  const looks = every(Math.min(LONGEST_LOOK_MS, Math.max(SHORTEST_LOOK_MS, shortest / 4)), async () => {
    try {
      const due = await dueTasks(
        database,
        turns.filter(({ task }) => !underWay.has(task)),
      );
      for (const turn of turns) if (due.has(turn.task)) underWay.set(turn.task, take(turn));
    } catch (error) {
      events.upkeepFailed({ task: 'turns', error });
    }
  });
  return {
    async stop() {
      await looks.stop();
      await Promise.all(underWay.values());
    },
  };
}
