import type { ApiSettings } from '@belfry/shared/config/settings.js';
import { newId } from '@belfry/shared/domain/ids.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { openingOf } from '@belfry/shared/ledger/inbox-stream.js';
import {
  adoptStreams,
  endStreams,
  forgetSessions,
  openStream,
  RENEW_MS,
  renewStreams,
} from '@belfry/shared/ledger/sessions.js';
import type { Events, StreamEnd, StreamTransport } from '@belfry/shared/service/events.js';
import { every } from '@belfry/shared/service/lifecycle.js';
import { Gauge, type Registry } from '@belfry/shared/service/metrics.js';
import { within } from '@belfry/shared/service/within.js';
import type { Caller } from '../middleware/authenticate.js';
import { createHub } from './hub.js';
import type { Line } from './line.js';
import { createSession, type Session } from './session.js';
import { Strangers } from './strangers.js';

/** A place for a stream, before there is a line. Whoever takes one uses it or gives it back. */
export interface Place {
  readonly id: string;
  readonly caller: Caller;
  readonly known: boolean;
}

/** The streams of this process. */
export interface Streams {
  look(personIds: readonly string[]): void;
  lookAtMarked(marks: readonly string[]): void;
  /** Takes a place for a stream. Throws `Refusal` when the person or the process has as many as there may be. */
  take(caller: Caller, transport: StreamTransport): Promise<Place>;
  giveBack(place: Place): void;
  /** Begins the stream: what the client missed, and then everything new. Closes the line when that cannot be read. */
  begin(place: Place, line: Line, since: string | null): Promise<void>;
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
const COME_BACK_MS = 5_000;

export function createStreams({ settings, database, events, registry }: StreamsParts): Streams {
  const node = newId();
  const bounds = { perPerson: settings.REALTIME_STREAMS_PER_PERSON, ttlMs: settings.SESSION_TTL_MS };
  const renewMs = Math.min(RENEW_MS, bounds.ttlMs / 3);
  const hub = createHub({ database, node, events, end: (session, reason) => end(session.line, reason) });
  const byLine = new Map<Line, Session>();
  const expiries = new Map<Line, NodeJS.Timeout>();
  const ended = new Set<string>();
  const strangers = new Strangers(bounds.perPerson);
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
    if (session.known && reason !== 'disconnected') ended.add(session.id);
    release(session);
    events.streamEnded({ sessionId: session.id, transport: line.transport, reason });
    void writeEnded();
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

  return {
    look: hub.look,
    lookAtMarked: hub.lookAtMarked,

    async take(caller, transport) {
      if (stopping) throw new Refusal('unavailable', 'This process is going away.', { retryAfterMs: 1_000 });
      if (taken >= settings.REALTIME_STREAMS) throw tooManyHere();
      taken += 1;
      const id = newId();
      try {
        const opened = await openStream(database, { id, personId: caller.sub, transport }, node, bounds);
        if (opened === 'full' || (opened === 'unknown' && !strangers.add(caller.sub, id)))
          throw tooManyStreams();
        return { id, caller, known: opened === 'open' };
      } catch (error) {
        taken -= 1;
        throw error;
      }
    },

    giveBack({ id, caller, known }) {
      release({ personId: caller.sub, id });
      if (known) ended.add(id);
      void writeEnded();
    },

    async begin(place, line, since) {
      const { id, caller, known } = place;
      const personId = caller.sub;
      const onRoom = () => hub.look([personId]);
      const session = createSession({ id, personId, line, cursor: 0, known, onRoom });
      byLine.set(line, session);
      events.streamOpened({ sessionId: id, transport: line.transport });
      expireAt(line, caller.expiresAt);
      try {
        const { notes, cursor, resync, unread } = await openingOf(database, personId, since);
        if (byLine.get(line) !== session) return;
        if (stopping) return end(line, 'stopping');
        if (resync) session.tell({ type: 'resync' });
        for (const note of notes) session.send(note);
        if (notes.length > 0) events.streamed({ transport: line.transport, notes: notes.length });
        session.cursor = cursor;
        hub.join(session, unread);
      } catch (error) {
        events.streamsFailed({ task: 'begin', error });
        end(line, 'failed');
      }
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
    retryAfterMs: COME_BACK_MS,
  });
}

function tooManyHere(): Refusal {
  return new Refusal('unavailable', 'This process has as many streams as there may be.', {
    reason: 'too_many_streams',
    retryAfterMs: COME_BACK_MS,
  });
}
