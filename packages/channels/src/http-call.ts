import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { TLSSocket } from 'node:tls';

/** One HTTP request to a provider: what ends it, and how far it got, which no client library tells. */
export interface Call {
  readonly signal: AbortSignal;
  /** True once the connection stood, so that the request may have arrived. */
  handedOver: boolean;
  /** Set when the head of the answer is there, even if its body never ends or is not understood. */
  status?: number;
  retryAfter?: string;
}

/** Makes `request` write down in `call` how far it gets. */
export function watch(request: ClientRequest, call: Call): void {
  request.once('socket', (socket) => {
    const left = () => {
      call.handedOver = true;
    };
    const encrypted = socket instanceof TLSSocket;
    // A kept connection is written to at once; a new one when it stands, encrypted and verified.
    if (request.reusedSocket) left();
    else socket.once(encrypted ? 'secureConnect' : 'connect', left);
  });
  request.once('response', (answer) => {
    call.status = answer.statusCode ?? 0;
    const retryAfter = answer.headers['retry-after'];
    if (retryAfter !== undefined) call.retryAfter = retryAfter;
  });
}

export interface Question extends RequestOptions {
  readonly protocol: string;
  /** How long it may wait for one of its agent's connections to be free, in milliseconds; as long as its signal lets it unless given. */
  readonly patienceMs?: number;
}

/** The `code` of what `ask` rejects with when no connection was free in time. */
export const NO_CONNECTION_FREE = 'EBUSY';

/**
 * Sends one request, and resolves with the head of its answer. Follows no redirect. Rejects when no answer came; `call` says
 * how far it got. From then on the body is the caller's: to be read or to be let go.
 */
export function ask(question: Question, body: string | Uint8Array, call: Call): Promise<IncomingMessage> {
  const { patienceMs, ...options } = question;
  const { signal } = call;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new Error('the call was over before it began'));
    const request = (options.protocol === 'http:' ? http : https).request({ ...options, signal });
    // A request that still waits for a connection tells nobody that it was destroyed.
    const giveUp = (code: string) => {
      const error = Object.assign(new Error('the call was given up'), { code });
      request.destroy(error);
      reject(error);
    };
    const onAbort = () => giveUp('ECONNABORTED');
    signal.addEventListener('abort', onAbort, { once: true });
    const patience =
      patienceMs === undefined ? undefined : setTimeout(() => giveUp(NO_CONNECTION_FREE), patienceMs);
    const over = () => {
      clearTimeout(patience);
      signal.removeEventListener('abort', onAbort);
    };
    watch(request, call);
    request.once('socket', () => clearTimeout(patience));
    request.once('response', (answer) => {
      over();
      resolve(answer);
    });
    // Not once: one that was answered may still fail while its body comes in, and nobody listens any more.
    request.on('error', (error) => {
      over();
      reject(error);
    });
    request.once('close', () => {
      over();
      reject(new Error('the connection ended without an answer'));
    });
    request.end(body);
  });
}

/** Reads a body of at most `most` bytes. Rejects when it is longer or breaks off, and the connection is gone then. */
export async function readBody(answer: IncomingMessage, most: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > most) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Lets a body go that nobody wants. A short one is read, so that its connection can be used again; one of more than `most`
 * bytes, or that takes longer than `ms` milliseconds, costs the connection.
 */
export function discardBody(answer: IncomingMessage, most: number, ms: number): void {
  let size = 0;
  const timer = setTimeout(() => answer.destroy(), ms);
  answer.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > most) answer.destroy();
  });
  answer.on('error', () => {});
  answer.once('close', () => clearTimeout(timer));
}
