import { createServer, type IncomingMessage, type RequestListener, request } from 'node:http';
import { duplexPair } from 'node:stream';
import { type Caller, vouch } from '../middleware/authenticate.js';

/** A POST that this process makes to itself. */
export interface InnerCall {
  /** From the root on, in characters that a URL takes as they are. */
  readonly path: string;
  /** Values are printable ASCII. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Who is calling, when no token says it. */
  readonly caller: Caller | null;
}

export interface InnerAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export type Call = (call: InnerCall) => Promise<InnerAnswer>;

/** No route takes as long. */
const DEADLINE_MS = 60_000;

/**
 * Calls an app over HTTP inside this process: each call has a connection of its own that is two ends of memory, so the app does for it
 * what it does for any other. No port and no file is opened: nobody else can call here, or say who they are in this way. Rejects when there
 * was no answer, after a minute at the latest.
 */
export function createInnerCalls(app: RequestListener): Call {
  const callers = new WeakMap<object, Caller>();
  const server = createServer((req, res) => {
    const caller = callers.get(req.socket);
    if (caller !== undefined) vouch(req, caller);
    app(req, res);
  });
  return ({ path, headers, body, caller }) =>
    new Promise((resolve, reject) => {
      const [near, far] = duplexPair();
      // A socket's end is seen at the other side; of these two, only an orderly one is.
      far.once('close', () => near.push(null));
      near.once('close', () => far.destroy());
      if (caller !== null) callers.set(far, caller);
      server.emit('connection', far);
      const asked = request(
        {
          method: 'POST',
          path,
          headers: { host: 'mqtt', 'content-length': body.length, ...headers },
          createConnection: () => near,
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.once('error', reject);
          answer.once('end', () => {
            clearTimeout(timer);
            resolve({
              status: answer.statusCode ?? 500,
              headers: answer.headers,
              body: Buffer.concat(chunks),
            });
          });
        },
      );
      const timer = setTimeout(() => asked.destroy(new Error('The call took too long.')), DEADLINE_MS);
      asked.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      asked.end(body);
    });
}
