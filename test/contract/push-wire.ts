import type { Action } from '../support/wire-server.js';

/** One request with a body of bytes. */
export interface Arrived {
  readonly method: string;
  readonly path: string;
  /** By their small names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Reads requests whose bodies are no text, keeps each in `arrived`, and acts on it. */
export function arrivedAt(arrived: Arrived[], act: (request: Arrived) => Action): Action {
  return (socket) => {
    let buffer = Buffer.alloc(0);
    socket.on('end', () => socket.end());
    socket.on('data', (chunk: Buffer) => {
      buffer = Buffer.concat([buffer, chunk]);
      const end = buffer.indexOf('\r\n\r\n');
      if (end < 0) return;
      const [first = '', ...lines] = buffer.subarray(0, end).toString('latin1').split('\r\n');
      const headers = Object.fromEntries(
        lines.map((line) => {
          const colon = line.indexOf(':');
          return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
        }),
      );
      const length = Number(headers['content-length'] ?? 0);
      const body = buffer.subarray(end + 4, end + 4 + length);
      if (body.length < length) return;
      buffer = buffer.subarray(end + 4 + length);
      const [method = '', path = ''] = first.split(' ');
      const request = { method, path, headers, body };
      arrived.push(request);
      act(request)(socket);
    });
  };
}
