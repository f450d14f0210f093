import { type Heartbeat, heartbeatKey, takeOverdue } from '../ledger/heartbeats.js';
import { retryTransient } from '../ledger/retry-transient.js';
import { oneByOne, type Turn } from '../service/one-by-one.js';
import {
  type AlertingParts,
  announceRaised,
  bundleWritten,
  type RaisedAlert,
  raiseWithin,
} from './raise-alert.js';

/** Heartbeats in one turn, so that a turn is over within some seconds, however many are missed. */
const AT_ONCE = 200;

/**
 * Opens an alert for each heartbeat that is overdue, in the transaction that marks it as missed: so there is one alert for a
 * silence, whoever dies meanwhile. One that cannot be told of keeps no other from being told of.
 *
 * @throws the first error, when all others have had their turn.
 */
export function missHeartbeats(parts: AlertingParts): Promise<void> {
  return oneByOne(AT_ONCE, (except, turn) => missNext(parts, except, turn));
}

async function missNext(parts: AlertingParts, except: readonly string[], turn: Turn): Promise<boolean> {
  const missed = await retryTransient(() =>
    parts.database.transaction(async (transaction) => {
      const heartbeat = await takeOverdue(transaction, except);
      if (heartbeat === null) return null;
      turn.id = heartbeat.name;
      const written = await raiseWithin(transaction, parts, alertOf(heartbeat));
      return { heartbeat, written: await bundleWritten(transaction, parts, written) };
    }),
  );
  if (missed === null) return false;
  const { heartbeat, written } = missed;
  parts.events.heartbeatMoved({ name: heartbeat.name, missed: true });
  announceRaised(parts, written);
  return true;
}

function alertOf({ name, alertType, level, message, beatAt, afterMs }: Heartbeat): RaisedAlert {
  const key = heartbeatKey(name);
  return {
    type: alertType,
    level,
    severity: level,
    message: message ?? `${name} has not been heard of since ${beatAt.toISOString()}.`,
    source: key,
    affectedSystems: [name],
    dedupKey: key,
    details: { heartbeat: name, last_beat_at: beatAt.toISOString(), after_ms: afterMs },
    caller: key,
    policy: null,
  };
}
