import type { ApiSettings } from '@belfry/shared/config/settings.js';
import { newId } from '@belfry/shared/domain/ids.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import type { Opening } from '@belfry/shared/ledger/inbox-stream.js';
import {
  adoptStreams,
  endStreams,
  forgetSessions,
  RENEW_MS,
  renewStreams,
} from '@belfry/shared/ledger/sessions.js';
import type { Events, StreamEnd, StreamTransport } from '@belfry/shared/service/events.js';
import { every } from '@belfry/shared/service/lifecycle.js';
import { Gauge, type Registry } from '@belfry/shared/service/metrics.js';
import { within } from '@belfry/shared/service/within.js';
import type { Caller } from '../middleware/authenticate.js';
import { createHub } from './hub.js';
import { comeBackMs, type Line } from './line.js';
import { createOpenings } from './openings.js';
import { createSession, type Session } from './session.js';
import { Strangers } from './strangers.js';

/** A place for a stream, before there is a line. Whoever takes one uses it or gives it back. */
export interface Place {
  readonly id: string;
  readonly caller: Caller;
  readonly known: boolean;
  /** What the client missed. */
  readonly opening: Opening;
}

/** The streams of this process. */
export interface Streams {
  look(personIds: readonly string[]): void;
  lookAtMarked(marks: readonly string[]): void;
  /**
   * Takes a place for a stream, and reads what its client has missed. Throws `Refusal` when the person or the process has as
   * many as there may be, or when so many want one that the turn of this one does not come.
   */
  take(caller: Caller, transport: StreamTransport, since: string | null): Promise<Place>;
  giveBack(place: Place): void;
  /** Begins the stream: what the client missed, and then everything new. */
  begin(place: Place, line: Line): void;
  /** Ends the stream on a line, if it is there. Twice is fine. */
  end(line: Line, reason: StreamEnd): void;
  stop(): Promise<void>;
}

export interface StreamsParts {
  readonly settings: ApiSettings;
  readonly database: Database;
  readonly events: Events;
  readonly registry: Registry;
}

/** A client that has not answered for so many turns is gone, though its connection does not say so. */
const TURNS_SILENT = 3;
/** Longer waits are beyond what a timer takes. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const FULL_MS = 5_000;

export function createStreams({ settings, database, events, registry }: StreamsParts): Streams {
  const node = newId();
  const bounds = { perPerson: settings.REALTIME_STREAMS_PER_PERSON, ttlMs: settings.SESSION_TTL_MS };
  const renewMs = Math.min(RENEW_MS, bounds.ttlMs / 3);
  const hub = createHub({ database, node, events, end: (session, reason) => end(session.line, reason) });
  const byLine = new Map<Line, Session>();
  const expiries = new Map<Line, NodeJS.Timeout>();
  const ended = new Set<string>();
  const strangers = new Strangers(bounds.perPerson);
  const open = createOpenings({
    database,
    node,
    bounds,
    connections: settings.DATABASE_POOL,
    waiting: settings.REALTIME_STREAMS,
  });
  let taken = 0;
  let stopping = false;

  new Gauge({
    name: 'belfry_realtime_streams',
    help: 'Streams that are open here, by what they speak.',
    labelNames: ['transport'],
    registers: [registry],
    collect() {
      for (const transport of ['websocket', 'sse'] as const)
        this.set({ transport }, hub.sessions().filter(({ line }) => line.transport === transport).length);
    },
  });

  function end(line: Line, reason: StreamEnd): void {
    const session = byLine.get(line);
    clearTimeout(expiries.get(line));
    expiries.delete(line);
    line.close(reason);
    if (session === undefined) return;
    byLine.delete(line);
    hub.leave(session);
    if (session.known && reason !== 'disconnected') hasEnded(session.id);
    release(session);
    events.streamEnded({ sessionId: session.id, transport: line.transport, reason });
  }

  function release({ personId, id }: { readonly personId: string; readonly id: string }): void {
    taken -= 1;
    strangers.remove(personId, id);
  }

  function expireAt(line: Line, at: number): void {
    const left = at - Date.now();
    const turn = () => (left > LONGEST_TIMER_MS ? expireAt(line, at) : end(line, 'expired'));
    expiries.set(line, setTimeout(turn, Math.max(0, Math.min(left, LONGEST_TIMER_MS))));
  }

  /** Many that end at once are written down at once. What cannot be written is seen by its silence. */
  let writing: Promise<void> | undefined;
  function writeEnded(): Promise<void> {
    writing ??= (async () => {
      await new Promise(setImmediate);
      while (ended.size > 0) {
        const ids = [...ended];
        ended.clear();
        try {
          await endStreams(database, node, ids);
        } catch (error) {
          events.streamsFailed({ task: 'end', error });
        }
      }
    })().finally(() => {
      writing = undefined;
      if (ended.size > 0) void writeEnded();
    });
    return writing;
  }

  const looking = every(settings.REALTIME_LOOK_MS, async () => {
    for (const session of hub.sessions()) if (session.stuck()) end(session.line, 'slow');
    try {
      await hub.seek();
    } catch (error) {
      events.streamsFailed({ task: 'look', error });
    }
  });

  const renewing = every(renewMs, async () => {
    beat();
    // What was read, too: that moves no inbox on.
    hub.look(hub.sessions().map(({ personId }) => personId));
    try {
      await renew();
      await forgetSessions(database, bounds.ttlMs);
    } catch (error) {
      events.streamsFailed({ task: 'renew', error });
    }
  });

  function beat(): void {
    const patience = Math.min(TURNS_SILENT * renewMs, bounds.ttlMs);
    for (const { line } of hub.sessions()) {
      const heardAt = line.heardAt();
      if (heardAt !== null && performance.now() - heardAt > patience) end(line, 'silent');
      else line.beat();
    }
  }

  /** Says who is still here, and writes down those whose person has become known. */
  async function renew(): Promise<void> {
    const sessions = hub.sessions();
    const known = sessions.filter((session) => session.known);
    const kept =
      known.length === 0
        ? []
        : await renewStreams(
            database,
            node,
            known.map(({ id }) => id),
          );
    const still = new Set(kept);
    for (const session of known) if (!still.has(session.id)) end(session.line, 'disconnected');
    const strangers = sessions.filter((session) => !session.known && byLine.has(session.line));
    if (strangers.length === 0) return;
    const adopted = new Set(
      await adoptStreams(
        database,
        node,
        strangers.map(({ id, personId, line }) => ({ id, personId, transport: line.transport })),
      ),
    );
    for (const session of strangers) {
      if (!adopted.has(session.id)) continue;
      session.known = true;
      if (!byLine.has(session.line)) ended.add(session.id);
    }
    await writeEnded();
  }

  function giveBack({ id, caller, known }: Place): void {
    release({ personId: caller.sub, id });
    if (known) hasEnded(id);
  }

  function hasEnded(id: string): void {
    ended.add(id);
    void writeEnded();
  }

  return {
    look: hub.look,
    lookAtMarked: hub.lookAtMarked,

    async take(caller, transport, since) {
      if (stopping) throw new Refusal('unavailable', 'This process is going away.', { retryAfterMs: 1_000 });
      if (taken >= settings.REALTIME_STREAMS) throw tooManyHere();
      taken += 1;
      const id = newId();
      const personId = caller.sub;
      try {
        const { admittance, opening } = await open({ id, personId, transport, since });
        const strange = admittance === 'unknown' && !strangers.add(personId, id);
        if (admittance === 'full' || strange) throw tooManyStreams();
        return { id, caller, known: admittance === 'open', opening };
      } catch (error) {
        taken -= 1;
        throw error;
      }
    },

    giveBack,

    begin({ id, caller, known, opening }, line) {
      const personId = caller.sub;
      const { notes, cursor, resync, unread } = opening;
      const onRoom = () => hub.look([personId]);
      const session = createSession({ id, personId, line, cursor, known, onRoom });
      byLine.set(line, session);
      events.streamOpened({ sessionId: id, transport: line.transport });
      if (stopping) return end(line, 'stopping');
      expireAt(line, caller.expiresAt);
      if (resync) session.tell({ type: 'resync' });
      for (const note of notes) session.send(note);
      if (notes.length > 0) events.streamed({ transport: line.transport, notes: notes.length });
      hub.join(session, unread);
    },

    end,

    async stop() {
      stopping = true;
      for (const line of [...byLine.keys()]) end(line, 'stopping');
      await within(2_000, Promise.all([looking.stop(), renewing.stop(), hub.stop(), writeEnded()]));
    },
  };
}

export function tooManyStreams(): Refusal {
  return new Refusal('rate_limited', 'Too Many Requests: this person has as many streams as there may be.', {
    reason: 'too_many_streams',
    retryAfterMs: FULL_MS,
  });
}

function tooManyHere(): Refusal {
  return new Refusal('unavailable', 'This process has as many streams as there may be.', {
    reason: 'too_many_streams',
    retryAfterMs: comeBackMs(),
  });
}
