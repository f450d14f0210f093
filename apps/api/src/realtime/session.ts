import type { StreamedNote } from '@belfry/shared/ledger/inbox-stream.js';
import type { Line } from './line.js';

/** What is not sent before the client has taken what it was sent: bytes, for one session. */
const FULL_BYTES = 256 * 1024;
/** A client that takes nothing for so long is cut. */
const PATIENCE_MS = 10_000;

/** The stream of one person on one connection. */
export interface Session {
  readonly id: string;
  readonly personId: string;
  readonly line: Line;
  /** It has every note up to this number that it should have. */
  cursor: number;
  /** Whether the ledger knows of it: not before it knows the person. */
  known: boolean;
  /** Sends what is no note. */
  tell(event: Readonly<Record<string, unknown>>): void;
  /** Sends a note, room or not: for the few that a stream begins with. */
  send(note: StreamedNote): void;
  /** Sends a note, if there is room for it. */
  give(note: StreamedNote): boolean;
  /** False while more than may be is on its way; whoever asked then hears of it when there is room. */
  hasRoom(): boolean;
  /** True when the client has taken nothing for too long. */
  stuck(): boolean;
}

export interface SessionOptions {
  readonly id: string;
  readonly personId: string;
  readonly line: Line;
  readonly cursor: number;
  readonly known: boolean;
  /** Called when a note was held back and there is room again. */
  readonly onRoom: () => void;
}

export function createSession({ id, personId, line, cursor, known, onRoom }: SessionOptions): Session {
  let underway = 0;
  let progressAt = performance.now();
  let heldBack = false;

  function hasRoom(): boolean {
    heldBack = underway > FULL_BYTES;
    return !heldBack;
  }

  function write(event: Readonly<Record<string, unknown>>, eventId: string | null): void {
    const json = JSON.stringify(event);
    const size = Buffer.byteLength(json);
    if (underway === 0) progressAt = performance.now();
    underway += size;
    line.send(json, eventId, () => {
      underway -= size;
      progressAt = performance.now();
      if (!heldBack || underway > FULL_BYTES) return;
      heldBack = false;
      onRoom();
    });
  }

  const send = (note: StreamedNote) => write(eventOf(note, id), note.notificationId);

  return {
    id,
    personId,
    line,
    cursor,
    known,
    tell: (event) => write(event, null),
    send,
    give(note) {
      if (!hasRoom()) return false;
      send(note);
      return true;
    },
    hasRoom,
    stuck: () => underway > 0 && performance.now() - progressAt > PATIENCE_MS,
  };
}

/** A note as clients get it. */
function eventOf(note: StreamedNote, sessionId: string) {
  const { notificationId: id, type, title, body, priority, data, readAt, createdAt } = note;
  return {
    id,
    type: 'notification',
    user_id: note.personId,
    session_id: sessionId,
    data: {
      id,
      notification_id: id,
      title,
      message: body,
      type,
      priority,
      ...alertIn(data),
      data,
      read: readAt !== null,
      created_at: createdAt,
    },
    timestamp: new Date(),
  };
}

/** What a client that watches for alerts looks for; everything else of the sender stays in `data`. */
function alertIn({ alert, requires_acknowledgment }: StreamedNote['data']): Record<string, unknown> {
  return typeof requires_acknowledgment === 'boolean' ? { alert, requires_acknowledgment } : {};
}
