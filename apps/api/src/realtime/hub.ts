import type { Database } from '@belfry/shared/ledger/database.js';
import { INBOX_SIZE } from '@belfry/shared/ledger/inbox.js';
import {
  type After,
  movedOn,
  type NextNotes,
  notesAfter,
  readAmong,
  type Standing,
  standingsOf,
} from '@belfry/shared/ledger/inbox-stream.js';
import { markOf } from '@belfry/shared/queue/realtime-bus.js';
import type { Events, StreamEnd } from '@belfry/shared/service/events.js';
import type { Session } from './session.js';

/** Hands the notes of the inboxes to the sessions of this process. */
export interface Hub {
  /** There may be something new about these people. Whoever is not connected here is passed over. */
  look(personIds: Iterable<string>): void;
  /** The same for people as they are called on the bus. */
  lookAtMarked(marks: readonly string[]): void;
  /** Looks at everybody whose inbox has moved on, whether or not somebody said so. */
  seek(): Promise<void>;
  /** @param unread the notes that were unread where this session begins. */
  join(session: Session, unread: readonly number[]): void;
  leave(session: Session): void;
  /** Everybody who is here. */
  sessions(): Session[];
  /** Looks no more. Resolves when nothing is under way. */
  stop(): Promise<void>;
}

export interface HubOptions {
  readonly database: Database;
  /** The id of this process. */
  readonly node: string;
  readonly events: Events;
  /** Ends a session; it has left when this returns. */
  readonly end: (session: Session, reason: StreamEnd) => void;
}

/** Somebody who is connected here. */
interface Present {
  readonly sessions: Set<Session>;
  /** The notes that they have not read, as was last seen. */
  unread: readonly number[];
}

/** People in one look: two or three statements for all of them. */
const AT_ONCE = 100;
const PAUSE_MS = 500;

/**
 * One look is under way at a time, at some people: how they stand, what comes after the sessions that are furthest behind, and
 * what has been read since the last look. Signals that come meanwhile gather for the next one, so under load the looks grow
 * and do not multiply. A session is only ever moved on by a look that began after it had joined.
 */
export function createHub({ database, node, events, end }: HubOptions): Hub {
  const people = new Map<string, Present>();
  const byMark = new Map<string, string>();
  const dirty = new Set<string>();
  let stopped = false;
  let looking: Promise<void> | undefined;

  function look(personIds: Iterable<string>): void {
    for (const id of personIds) if (people.has(id)) dirty.add(id);
    if (dirty.size === 0 || stopped) return;
    looking ??= turns().finally(() => {
      looking = undefined;
      // Whoever came after the last turn and before this.
      look([]);
    });
  }

  async function turns(): Promise<void> {
    while (dirty.size > 0 && !stopped) {
      // What arrives in the same moment is looked at together.
      await new Promise(setImmediate);
      const ids = [...dirty].slice(0, AT_ONCE);
      for (const id of ids) dirty.delete(id);
      try {
        await lookAt(ids);
      } catch (error) {
        events.streamsFailed({ task: 'look', error });
        for (const id of ids) if (people.has(id)) dirty.add(id);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }

  async function lookAt(ids: readonly string[]): Promise<void> {
    const here = new Map(ids.map((id) => [id, [...(people.get(id)?.sessions ?? [])]]));
    const known = new Set([...here.values()].flat().filter((session) => session.known));
    const standings = await standingsOf(database, ids, node);
    const behind: After[] = [];
    const waiting = new Map<string, Session[]>();
    for (const standing of standings) {
      const present = (here.get(standing.personId) ?? []).filter(isHere);
      for (const session of present)
        if (known.has(session) && !standing.sessions.includes(session.id)) end(session, 'disconnected');
      const ready = readyOf(present.filter(isHere), standing);
      if (ready.length === 0) continue;
      waiting.set(standing.personId, ready);
      behind.push({ personId: standing.personId, seq: Math.min(...ready.map(({ cursor }) => cursor)) });
    }
    const next = behind.length === 0 ? new Map<string, NextNotes>() : await notesAfter(database, behind);
    for (const { personId, lastSeq } of standings) {
      const fresh = next.get(personId) ?? { notes: [], more: false, lastSeq };
      for (const session of waiting.get(personId) ?? []) {
        const whole = hand(session, fresh);
        // Numbers without a note are passed as well.
        if (whole && !fresh.more) session.cursor = Math.max(session.cursor, lastSeq);
      }
      if (fresh.more) dirty.add(personId);
    }
    await tellRead(
      standings.map((standing) => withLater(standing, next.get(standing.personId))),
      here,
    );
  }

  function isHere(session: Session): boolean {
    return people.get(session.personId)?.sessions.has(session) === true;
  }

  /** Those of a person's sessions that want something and have room for it; one that has lost something is cut. */
  function readyOf(sessions: readonly Session[], { lastSeq }: Standing): Session[] {
    return sessions.filter((session) => {
      const lost = session.cursor < lastSeq - INBOX_SIZE;
      if (lost && !session.hasRoom()) {
        end(session, 'slow');
        return false;
      }
      // An inbox that has fewer than it had is another one: the person was erased, and is back.
      if (lost || session.cursor > lastSeq) {
        session.tell({ type: 'resync' });
        session.cursor = Math.max(0, lastSeq - INBOX_SIZE);
      }
      return session.cursor < lastSeq && session.hasRoom();
    });
  }

  /** Gives a session what it does not have yet. False when there was no room for all of it. */
  function hand(session: Session, { notes, lastSeq }: NextNotes): boolean {
    // So many came between the two statements that some have left the inbox again.
    if (session.cursor < lastSeq - INBOX_SIZE) session.tell({ type: 'resync' });
    const fresh = notes.filter(({ seq }) => seq > session.cursor);
    const stop = fresh.findIndex((note) => {
      if (!session.give(note)) return true;
      session.cursor = note.seq;
      return false;
    });
    const given = stop === -1 ? fresh.length : stop;
    if (given > 0) events.streamed({ transport: session.line.transport, notes: given });
    return stop === -1;
  }

  /** Tells the sessions of a person what has been read, by whichever of them or by the API. */
  async function tellRead(
    standings: readonly Standing[],
    here: ReadonlyMap<string, readonly Session[]>,
  ): Promise<void> {
    const settled: After[] = [];
    const counts = new Map<string, number>();
    for (const { personId, unread, lastSeq } of standings) {
      const left = new Set(unread);
      const before = people.get(personId)?.unread ?? [];
      const gone = before.filter((seq) => !left.has(seq) && seq > lastSeq - INBOX_SIZE);
      if (gone.length > 0) counts.set(personId, unread.length);
      settled.push(...gone.map((seq) => ({ personId, seq })));
    }
    const read = settled.length === 0 ? [] : await readAmong(database, settled);
    // Not before that has worked: when it fails, the next look finds the same.
    for (const { personId, unread } of standings) {
      const present = people.get(personId);
      if (present !== undefined) present.unread = unread;
    }
    const tell = (personId: string, event: Readonly<Record<string, unknown>>) => {
      for (const session of here.get(personId) ?? []) if (isHere(session)) session.tell(event);
    };
    for (const { personId, notificationId } of read) tell(personId, { type: 'read', id: notificationId });
    for (const [personId, count] of counts) tell(personId, { type: 'unread_count', count });
  }

  return {
    look,
    lookAtMarked: (marks) => look(marks.flatMap((mark) => byMark.get(mark) ?? [])),
    join(session, unread) {
      const present = people.get(session.personId) ?? { sessions: new Set(), unread };
      present.sessions.add(session);
      people.set(session.personId, present);
      byMark.set(markOf(session.personId), session.personId);
      look([session.personId]);
    },
    async seek() {
      const after = [...people].map(([personId, { sessions }]) => ({
        personId,
        seq: Math.min(...[...sessions].map(({ cursor }) => cursor)),
      }));
      if (after.length > 0) look(await movedOn(database, after));
    },
    leave(session) {
      const present = people.get(session.personId);
      present?.sessions.delete(session);
      if (present?.sessions.size !== 0) return;
      people.delete(session.personId);
      byMark.delete(markOf(session.personId));
    },
    sessions: () => [...people.values()].flatMap(({ sessions }) => [...sessions]),
    async stop() {
      stopped = true;
      await looking;
    },
  };
}

/** With the unread notes that were found a moment later. */
function withLater(standing: Standing, next: NextNotes | undefined): Standing {
  const later = next?.notes.filter(({ seq, readAt }) => seq > standing.lastSeq && readAt === null) ?? [];
  return later.length === 0
    ? standing
    : { ...standing, unread: [...standing.unread, ...later.map(({ seq }) => seq)] };
}
