import { AsyncLocalStorage } from 'node:async_hooks';
import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { TLSSocket } from 'node:tls';
import type RequestClient from 'twilio/lib/base/RequestClient.js';

/** One call to Twilio: what it may take, and how far it got. The SDK passes neither through. */
export interface Call {
  readonly signal: AbortSignal;
  /** The largest answer that is read, in bytes. */
  readonly maxAnswerBytes: number;
  /** True once the connection stood, so that the request may have arrived. */
  handedOver: boolean;
  /** Set when the head of the answer is there, even if its body never ends or is not understood. */
  status?: number;
  retryAfter?: string;
}

/** Runs `work` so that every request the SDK makes inside it belongs to `call`. */
export function during<T>(call: Call, work: () => Promise<T>): Promise<T> {
  return calls.run(call, work);
}

/**
 * Teaches the SDK's HTTP client what its options leave out: another base URL, a signal, a bound for the answer,
 * and to say when the request left. Returns a function that ends all connections.
 */
export function rewire(client: RequestClient, baseUrl: string | undefined): () => void {
  const plainAgent = new http.Agent({ keepAlive: true, maxSockets: 20 });
  client.axios.defaults.httpAgent = plainAgent;
  client.axios.interceptors.request.use((config) => {
    const call = calls.getStore();
    if (call === undefined) throw new Error('a request to Twilio outside of a call');
    config.signal = call.signal;
    config.maxContentLength = call.maxAnswerBytes;
    config.transport = { request: (options: RequestOptions, on: Answered) => open(call, options, on) };
    config.url = rebased(config.url ?? '', baseUrl);
    return config;
  });
  return () => {
    plainAgent.destroy();
    client.axios.defaults.httpsAgent?.destroy();
  };
}

type Answered = (answer: IncomingMessage) => void;

const calls = new AsyncLocalStorage<Call>();

function open(call: Call, options: RequestOptions, onAnswer: Answered): ClientRequest {
  const request = (options.protocol === 'http:' ? http : https).request(options, onAnswer);
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
  return request;
}

function rebased(url: string, baseUrl: string | undefined): string {
  if (baseUrl === undefined) return url;
  const { pathname, search } = new URL(url);
  return baseUrl.replace(/\/+$/, '') + pathname + search;
}
