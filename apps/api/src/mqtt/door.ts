import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiSettings } from '@belfry/shared/config/settings.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import {
  knowMqttSessions,
  LEASE_MS,
  releaseMqttSession,
  renewMqttSessions,
  TURN_MS,
  takeMqttSession,
  wantMqttSession,
} from '@belfry/shared/ledger/mqtt-sessions.js';
import type { Events } from '@belfry/shared/service/events.js';
import { within } from '@belfry/shared/service/within.js';
import type { IPublishPacket } from 'mqtt';
import { carryOut, type Patience } from './carry-out.js';
import { createInnerCalls } from './inner-call.js';
import { nowhere, readMessage } from './message.js';
import { openSession, type Said, type Session } from './session.js';

/** The door that takes notifications from a broker. */
export interface Door {
  /** Whether every session that this process holds is open; true as well when others hold them all. */
  isUp(): boolean;
  /** Takes no more, waits at most `graceMs` for what is in hand, and gives the sessions back. Twice is fine. */
  stop(graceMs: number): Promise<void>;
}

export interface DoorParts {
  readonly url: string;
  readonly settings: ApiSettings;
  readonly database: Database;
  /** The API: what is published is posted to it. */
  readonly app: RequestListener;
  readonly events: Events;
}

/** After a session was taken there may be another one. Not at once: other processes take some too. */
const NEXT_MS = 100;
const GRACE_MS = 5_000;

/** A session that this process holds. */
interface Holding {
  readonly session: Session;
  /** Ends the waiting of what is tried again. */
  readonly ending: AbortController;
  /** Lets it go when its lease was not renewed in time: somebody else takes it then, and both would cut each other off. */
  lease: NodeJS.Timeout;
  /** Once it is let go. */
  gone?: Promise<void>;
}

/** Opens the door. It takes its share of the sessions by turns, for as long as it runs. */
export function openDoor({ url, settings, database, app, events }: DoorParts): Door {
  const id = randomUUID();
  const holdings = new Map<number, Holding>();
  const call = createInnerCalls(app);
  const stopping = new AbortController();
  let turned = false;

  /** From a message to what is said of it. */
  function createCarrier(signal: AbortSignal) {
    const patience = createPatience(settings, signal);
    const reading = { identities: settings.MQTT_IDENTITIES ?? [], responses: settings.MQTT_RESPONSES };
    return async (packet: IPublishPacket): Promise<Said | null> => {
      const message = readMessage(packet, reading);
      // It was delivered when it was published, to whoever was there; this is the copy that was kept.
      if (packet.retain) {
        events.mqttMessage({ outcome: 'ignored', status: null });
        return { answer: nowhere(), reply: null };
      }
      const ending =
        message.call === null
          ? ({ answer: nowhere(), outcome: 'refused' } as const)
          : await carryOut(call, message.call, patience);
      if (ending === null) return null;
      events.mqttMessage({ outcome: ending.outcome, status: ending.answer.status });
      return { answer: ending.answer, reply: message.reply };
    };
  }

  /** Holds a session whose lease was asked for at `askedAt`, by the clock that knows no jumps. */
  function hold(number: number, askedAt: number): void {
    if (stopping.signal.aborted) {
      void giveBack(number);
      return;
    }
    const ending = new AbortController();
    const carryOutOne = createCarrier(ending.signal);
    const session = openSession({ url, settings, number, carryOut: carryOutOne, events });
    holdings.set(number, { session, ending, lease: leaseOf(number, askedAt) });
    events.mqttSession({ number, held: true });
  }

  /** Whoever cannot be told waits for the end of the lease. */
  function giveBack(number: number): Promise<void> {
    return releaseMqttSession(database, id, number).catch(() => undefined);
  }

  function leaseOf(number: number, askedAt: number): NodeJS.Timeout {
    return setTimeout(() => void letGo(number, 0), askedAt + LEASE_MS - performance.now());
  }

  /** Lets a session go, and gives it back unless somebody else has it already. */
  function letGo(number: number, graceMs: number): Promise<void> {
    const holding = holdings.get(number);
    if (holding === undefined) return Promise.resolve();
    holding.gone ??= (async () => {
      holding.ending.abort();
      await holding.session.leave(graceMs);
      await giveBack(number);
      clearTimeout(holding.lease);
      holdings.delete(number);
      events.mqttSession({ number, held: false });
    })();
    return holding.gone;
  }

  /** One turn; how long until the next one. While the ledger cannot be asked, what is held runs out. */
  async function turn(): Promise<number> {
    if (!turned) await knowMqttSessions(database, settings.MQTT_SHARED === 'on' ? settings.MQTT_SESSIONS : 1);
    const hands = new Set(holdings.keys());
    const askedAt = performance.now();
    const mine = await renewMqttSessions(database, id);
    turned = true;
    for (const number of holdings.keys())
      if (!mine.some((one) => one.number === number)) void letGo(number, 0);
    for (const { number, wanted } of mine) {
      if (holdings.has(number)) keep(number, wanted, askedAt);
      // Let go before, and not given back: the ledger could not be told. What went out of our hands just now will be.
      else if (!hands.has(number)) hold(number, askedAt);
    }
    const takenAt = performance.now();
    const taken = await takeMqttSession(database, id, [...holdings.keys()]);
    if (taken === null) {
      await wantMqttSession(database, id);
      return TURN_MS;
    }
    hold(taken, takenAt);
    return NEXT_MS;
  }

  /** Goes on with a session whose lease was renewed, or hands it over to who asks for it. */
  function keep(number: number, wanted: boolean, askedAt: number): void {
    const holding = holdings.get(number);
    if (holding === undefined) return;
    clearTimeout(holding.lease);
    holding.lease = leaseOf(number, askedAt);
    if (wanted) void letGo(number, GRACE_MS);
  }

  async function turns(): Promise<void> {
    while (!stopping.signal.aborted) {
      const pauseMs = await turn().catch((error: unknown) => {
        events.connectionFailed({ part: 'database', error });
        return TURN_MS;
      });
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  const running = turns();
  let stopped: Promise<void> | undefined;

  async function stop(graceMs: number): Promise<void> {
    stopping.abort();
    await within(1_000, running);
    await within(graceMs + 2_000, Promise.all([...holdings.keys()].map((number) => letGo(number, graceMs))));
  }

  return {
    isUp: () => turned && [...holdings.values()].every(({ session }) => session.isUp()),
    stop(graceMs) {
      stopped ??= stop(graceMs);
      return stopped;
    },
  };
}

/** Half of a session's places are for what is refused for the moment. */
function createPatience(settings: ApiSettings, signal: AbortSignal): Patience {
  // Everything that waits listens.
  setMaxListeners(0, signal);
  const most = Math.ceil(settings.MQTT_IN_FLIGHT / 2);
  let waiting = 0;
  return {
    patienceMs: settings.MQTT_PATIENCE_MS,
    signal,
    enter() {
      if (waiting >= most) return false;
      waiting += 1;
      return true;
    },
    leave() {
      waiting -= 1;
    },
  };
}
