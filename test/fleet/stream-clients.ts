import { get, type IncomingMessage } from 'node:http';
import { newId } from '@belfry/shared/domain/ids.js';
import type { Message } from '@belfry/shared/domain/message.js';
import { type Database, openDatabase } from '@belfry/shared/ledger/database.js';
import { putInInboxes } from '@belfry/shared/ledger/inbox.js';
import { WebSocket } from 'ws';
import type { Fleet } from '../support/fleet.js';
import { scrape } from '../support/scrape.js';
import { waitFor } from '../support/wait.js';

/** A message as it came. */
export type Heard = { readonly type: string; readonly id?: string; readonly [field: string]: unknown };

/** How a connection ended: a WebSocket's code and reason; 0 for anything else, or for an answer that was no stream its status. */
export type Ended = { readonly code: number; readonly reason: string };

export type StreamClient = {
  /** Everything that has come so far, oldest first; it grows. */
  readonly heard: readonly Heard[];
  /** The ids of the notes that have come. */
  ids(): string[];
  readonly ended: Promise<Ended>;
  say(message: unknown): void;
  /** Sends one frame of a WebSocket as it is; resolves when it has been taken, or cannot be sent any more. */
  frame(
    data: string | Uint8Array,
    options?: { binary?: boolean; fin?: boolean; ping?: boolean },
  ): Promise<void>;
  /** Reads no more, or goes on reading. */
  pause(paused: boolean): void;
  /** Breaks the connection off, with no word. */
  drop(): void;
  close(): void;
};

export type StreamOptions = {
  readonly api?: number;
  readonly sub: string;
  readonly role?: string;
  readonly since?: string | undefined;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called with each message when it comes. */
  readonly heard?: (message: Heard) => void;
};

/** Opens a WebSocket; returns when it is open, or has been refused. */
export async function openSocket(fleet: Fleet, options: StreamOptions): Promise<StreamClient> {
  const { sub, role = 'user', since, api = 0, headers = {} } = options;
  const token = options.token ?? (await fleet.token(role, sub));
  const url = `${(fleet.apis[api]?.url ?? '').replace('http', 'ws')}/ws${since === undefined ? '' : `?since=${since}`}`;
  const socket = new WebSocket(url, {
    headers: { authorization: `Bearer ${token}`, ...headers },
    perMessageDeflate: false,
  });
  const heard: Heard[] = [];
  socket.on('message', (data) => {
    const message: Heard = JSON.parse(data.toString());
    heard.push(message);
    options.heard?.(message);
  });
  let refused = 0;
  socket.on('unexpected-response', (_req, res) => {
    refused = res.statusCode ?? 0;
    socket.terminate();
  });
  socket.on('error', () => undefined);
  const ended = new Promise<Ended>((resolve) =>
    socket.once('close', (code, reason) => resolve({ code: refused || code, reason: reason.toString() })),
  );
  await Promise.race([new Promise((resolve) => socket.once('open', resolve)), ended]);
  return {
    heard,
    ids: () => idsOf(heard),
    ended,
    say: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    frame: (data, { ping = false, ...options } = {}) =>
      new Promise((resolve) => {
        if (ping) socket.ping(data, true, () => resolve());
        else socket.send(data, options, () => resolve());
      }),
    pause: (paused) => (paused ? socket.pause() : socket.resume()),
    drop: () => socket.terminate(),
    close: () => socket.close(),
  };
}

/** Opens a stream of events; returns when the answer has begun. */
export async function openEvents(fleet: Fleet, options: StreamOptions): Promise<StreamClient> {
  const { sub, role = 'user', since, api = 0, headers = {} } = options;
  const token = options.token ?? (await fleet.token(role, sub));
  const heard: Heard[] = [];
  const request = get(`${fleet.apis[api]?.url}/api/v1/stream`, {
    agent: false,
    headers: {
      authorization: `Bearer ${token}`,
      ...(since === undefined ? {} : { 'last-event-id': since }),
      ...headers,
    },
  });
  const answered = new Promise<IncomingMessage | undefined>((resolve) => {
    request.once('response', resolve);
    request.on('error', () => resolve(undefined));
  });
  const response = await answered;
  let text = '';
  response?.on('data', (chunk) => {
    text += String(chunk);
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events.flatMap(eventIn)) {
      heard.push(event);
      options.heard?.(event);
    }
  });
  response?.on('error', () => undefined);
  const ended = new Promise<Ended>((resolve) => {
    const status = response?.statusCode ?? 0;
    const end = () => resolve({ code: status === 200 ? 0 : status, reason: '' });
    if (response === undefined || status !== 200) end();
    else response.once('close', end);
  });
  return {
    heard,
    ids: () => idsOf(heard),
    ended,
    say: () => undefined,
    frame: async () => undefined,
    pause: (paused) => (paused ? response?.pause() : response?.resume()),
    drop: () => request.destroy(),
    close: () => request.destroy(),
  };
}

export const OPEN = { WebSocket: openSocket, SSE: openEvents } as const;

/** A block of the stream: an event has data, and a note also its id; what has neither is a comment. */
function eventIn(block: string): Heard[] {
  const field = (name: string) =>
    block
      .split('\n')
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2);
  const data = field('data');
  if (data === undefined) return [];
  const event: Heard = JSON.parse(data);
  if (field('id') !== event.id && event.type === 'notification') throw new Error(`The id is not ${event.id}`);
  return [event];
}

function idsOf(heard: readonly Heard[]): string[] {
  return heard.flatMap(({ type, id }) => (type === 'notification' && id !== undefined ? [id] : []));
}

/** Waits until a client has so many notes, and returns their ids. */
export function untilNotes(client: StreamClient, count: number, timeoutMs = 10_000): Promise<string[]> {
  const arrived = () => (client.ids().length >= count ? client.ids() : undefined);
  return waitFor(arrived, { timeoutMs, what: `${count} notes` });
}

/** Waits for a message of this type. */
export function untilHeard(client: StreamClient, type: string): Promise<Heard> {
  return waitFor(() => client.heard.find((one) => one.type === type), { what: `a message ${type}` });
}

/** Puts notes into the inbox of a person as a worker does, but tells nobody; gives their ids. */
export async function putNotes(
  database: Database,
  personId: string,
  count: number,
  body = 'Hello',
): Promise<string[]> {
  const messages = Array.from({ length: count }, (_, index) => noteFor(personId, `${body} ${index}`));
  await putInInboxes(database, messages);
  // In one batch they are numbered by the ids of their deliveries.
  return messages.map(({ notificationId }) => notificationId);
}

export function noteFor(personId: string, body: string): Message<'realtime'> {
  return {
    deliveryId: newId(),
    notificationId: newId(),
    channel: 'realtime',
    priority: 'normal',
    personId,
    to: personId,
    content: { title: 'Notification', body, type: 'info', data: {} },
    firstAttemptAt: new Date(),
  };
}

/** The ledger of a fleet, for putting things into it as a process would. */
export function ledgerOf(fleet: Fleet): Database {
  return openDatabase({ url: fleet.databaseUrl, name: 'test', size: 3 });
}

/** The ids of the notes that are kept for a person, in order. */
export async function inboxOf(fleet: Fleet, personId: string): Promise<string[]> {
  const { rows } = await fleet.database.query(
    'SELECT notification_id AS id FROM inbox_item WHERE person_id = $1 ORDER BY seq',
    [personId],
  );
  return rows.map(({ id }) => String(id));
}

/** How many connections to the ledger wait for a lock. */
export async function waitingForLocks({ database }: Fleet): Promise<number> {
  const { rows } = await database.query(
    `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return Number(rows[0]?.count);
}

/** True while nothing has ended it. */
export async function isOpen(client: StreamClient): Promise<boolean> {
  return (await Promise.race([client.ended, undefined])) === undefined;
}

/** What the first API process has in use, garbage included. */
export async function memoryOf({ api }: Fleet): Promise<number> {
  const { value } = await scrape(api.url);
  return (value('nodejs_heap_size_used_bytes') ?? 0) + (value('nodejs_external_memory_bytes') ?? 0);
}
