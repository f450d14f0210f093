import http from 'node:http';
import https from 'node:https';
import { ask, type Call, readBody } from '../http-call.js';
import type { Load } from '../provider.js';

/** What the SDK hands over to be sent, as far as it is used: SES's SendEmail has no query. */
interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface SdkResponse {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

/**
 * The HTTP side of the SDK. Its own bounds neither the length of an answer nor the time for the whole of it, and does not tell
 * whether a request that failed had left.
 */
export interface Wire {
  handle(request: SdkRequest, options?: { call?: Call }): Promise<{ response: SdkResponse }>;
  updateHttpClientConfig(): void;
  httpHandlerConfigs(): Record<string, never>;
  /** Ends every connection, busy ones too. */
  close(): void;
}

const ANSWER_BYTES = 20_000;
/** More connections than this from one process bring nothing. */
const MOST_CONNECTIONS = 100;

/** Makes the wire. No connection is opened before the first request. */
export function createWire({ concurrency }: Load): Wire {
  const options = { keepAlive: true, maxSockets: Math.min(Math.max(concurrency, 1), MOST_CONNECTIONS) };
  const agents = { 'http:': new http.Agent(options), 'https:': new https.Agent(options) };
  return {
    async handle({ protocol, hostname, port, path, method, headers, body }, { call } = {}) {
      if (call === undefined) throw new Error('a request to SES outside of a call');
      const plain = protocol === 'http:';
      const answer = await ask(
        {
          protocol,
          hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
          ...(port === undefined ? {} : { port }),
          path,
          method,
          headers,
          agent: plain ? agents['http:'] : agents['https:'],
          ...(plain ? {} : { rejectUnauthorized: true }),
        },
        typeof body === 'string' || body instanceof Uint8Array ? body : '',
        call,
      );
      const read = await readBody(answer, ANSWER_BYTES);
      return { response: { statusCode: answer.statusCode ?? 0, headers: flat(answer.headers), body: read } };
    },
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

function flat(headers: http.IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
