import type { StreamEnd, StreamTransport } from '@belfry/shared/service/events.js';

/** One connection, whatever it speaks. */
export interface Line {
  readonly transport: StreamTransport;
  /**
   * Sends one event.
   *
   * @param id what the client names when it comes back; null for what is no note.
   * @param taken called when the bytes have left this process.
   */
  send(json: string, id: string | null, taken: () => void): void;
  /** Shows that we are here, and asks the client to do so where it can. */
  beat(): void;
  /** When the client was last heard of, by `performance.now()`; null where clients cannot say anything. */
  heardAt(): number | null;
  /** Ends the connection and tells the client why. */
  close(reason: StreamEnd): void;
}

/** What a WebSocket is closed with (RFC 6455 §7.4; from 4000 on they are our own), and a word for why. */
export const CLOSE: Readonly<Record<StreamEnd, readonly [code: number, reason: string]>> = {
  left: [1000, ''],
  slow: [1013, 'read too slowly; come back and name the last id'],
  silent: [4408, 'not heard of for too long'],
  expired: [4401, 'the token has expired'],
  disconnected: [4410, 'the session was ended'],
  stopping: [1001, 'going away; come back and name the last id'],
  misused: [1008, 'too many messages at once'],
};

/** After this time a client should come back: each after another one, so that not all of them come in the same moment. */
export function comeBackMs(): number {
  return 1_000 + Math.floor(Math.random() * 4_000);
}
