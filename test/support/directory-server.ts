import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** What a person's answer is: a JSON document, or anything else that a server can do. */
export type DirectoryScript = object | ((req: IncomingMessage, res: ServerResponse) => void);

/** A user directory over real HTTP, that knows the people it is told of and nobody else. */
export interface DirectoryServer {
  /** With `{id}` at its end. */
  readonly url: string;
  /** Every request so far: the path and the headers. */
  readonly asked: { readonly path: string; readonly headers: IncomingMessage['headers'] }[];
  /** The most requests that were ever open at once. */
  readonly atOnce: () => number;
  /** By id; null takes somebody away. */
  tell(id: string, script: DirectoryScript | null): void;
  /** What becomes of everybody who was not told of; 404 by default. */
  others(script: DirectoryScript): void;
  /** Every connection ends, and nobody is listened to any more. */
  stop(): Promise<void>;
}

export async function startDirectory(): Promise<DirectoryServer> {
  const people = new Map<string, DirectoryScript>();
  const asked: DirectoryServer['asked'] = [];
  let rest: DirectoryScript = (_req, res) => void res.writeHead(404).end();
  let open = 0;
  let most = 0;
  const server = createServer((req, res) => {
    open += 1;
    most = Math.max(most, open);
    res.once('close', () => {
      open -= 1;
    });
    asked.push({ path: req.url ?? '', headers: req.headers });
    const id = decodeURIComponent((req.url ?? '').split('/').at(-1) ?? '');
    const script = people.get(id) ?? rest;
    if (typeof script === 'function') script(req, res);
    else res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(script));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/api/v1/users/{id}`,
    asked,
    atOnce: () => most,
    tell(id, script) {
      if (script === null) people.delete(id);
      else people.set(id, script);
    },
    others(script) {
      rest = script;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Answers with this status, and with a body that looks like a person. */
export function status(code: number, headers: Readonly<Record<string, string>> = {}): DirectoryScript {
  return (_req, res) => void res.writeHead(code, headers).end('{"email":"body@example.org"}');
}

/** Never answers. */
export const hang: DirectoryScript = () => undefined;

/** Begins to answer, and then sends a byte now and then. */
export const drip: DirectoryScript = (_req, res) => {
  res.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => res.write(' '), 20);
  res.once('close', () => clearInterval(timer));
};

/** Sends for as long as anybody reads. */
export const endless: DirectoryScript = (_req, res) => {
  res.writeHead(200, { 'content-type': 'application/json' });
  const pour = () => {
    while (!res.destroyed && res.write(' '.repeat(16_384)));
  };
  res.on('drain', pour);
  pour();
};

/** Drops the connection. */
export const drop: DirectoryScript = (req) => void req.socket.resetAndDestroy();

/** Says this. */
export function saying(text: string): DirectoryScript {
  return (_req, res) => void res.writeHead(200, { 'content-type': 'application/json' }).end(text);
}
