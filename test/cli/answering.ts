import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before } from 'node:test';

/** What a server was asked. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  readonly body: string;
}

export type Answering = (asked: Asked, res: ServerResponse) => void;

/** A real HTTP server that answers as a test says, for what an API answers seldom. */
export interface AnsweringServer {
  readonly url: string;
  /** All that was asked since `answer` was last called. */
  readonly asked: readonly Asked[];
  answer(how: Answering): void;
}

/** Runs one for the tests of this `describe`. */
export function useAnswering(): AnsweringServer {
  let answer: Answering = (_, res) => res.end();
  let asked: Asked[] = [];
  const server = createServer((req, res) => {
    void read(req).then((body) => {
      const url = new URL(req.url ?? '/', 'http://localhost');
      const { authorization } = req.headers;
      const one = {
        method: req.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        authorization,
        body,
      };
      asked.push(one);
      answer(one, res);
    });
  });
  before(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)));
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    get url() {
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    get asked() {
      return asked;
    },
    answer(how) {
      answer = how;
      asked = [];
    },
  };
}

/** Answers with JSON. */
export function json(
  res: ServerResponse,
  value: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void {
  res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

async function read(req: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of req.setEncoding('utf8')) body += String(chunk);
  return body;
}
