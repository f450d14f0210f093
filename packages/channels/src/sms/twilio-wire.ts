import { AsyncLocalStorage } from 'node:async_hooks';
import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import type RequestClient from 'twilio/lib/base/RequestClient.js';
import { type Call, watch } from '../http-call.js';

/** One call to Twilio. The SDK passes neither its signal nor its bound through. */
export interface TwilioCall extends Call {
  /** The largest answer that is read, in bytes. */
  readonly maxAnswerBytes: number;
}

/** Runs `work` so that every request the SDK makes inside it belongs to `call`. */
export function during<T>(call: TwilioCall, work: () => Promise<T>): Promise<T> {
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

const calls = new AsyncLocalStorage<TwilioCall>();

function open(call: Call, options: RequestOptions, onAnswer: Answered): ClientRequest {
  const request = (options.protocol === 'http:' ? http : https).request(options, onAnswer);
  watch(request, call);
  return request;
}

function rebased(url: string, baseUrl: string | undefined): string {
  if (baseUrl === undefined) return url;
  const { pathname, search } = new URL(url);
  return baseUrl.replace(/\/+$/, '') + pathname + search;
}
