import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';

/** What a server does with a connection, or with one turn of the talk on it. */
export type Action = (socket: Socket) => void;

/** A server that says and does on the wire what its script tells it, and nothing else. */
export interface WireServer {
  readonly port: number;
  /** How many connections were ever made. */
  readonly connections: () => number;
  /** Resolves when no connection is open; rejects after five seconds. */
  readonly quiet: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Listens on a free loopback port. With `tls` it presents a self-signed certificate from the first byte. */
export async function wireServer(onConnection: Action, options: { tls?: boolean } = {}): Promise<WireServer> {
  const open = new Set<Socket>();
  const waiting: (() => void)[] = [];
  let connections = 0;
  const accept = (socket: Socket): void => {
    connections++;
    open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => {
      open.delete(socket);
      if (open.size === 0) for (const wake of waiting.splice(0)) wake();
    });
    onConnection(socket);
  };
  const server = options.tls
    ? createTlsServer({ key: KEY, cert: CERTIFICATE }, accept).on('tlsClientError', () => {})
    : createServer({ allowHalfOpen: true }, accept);
  await listening(server);
  const address = server.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    connections: () => connections,
    quiet: () => (open.size === 0 ? Promise.resolve() : within(5_000, (wake) => waiting.push(wake))),
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Says `text` and waits for more. */
export const say =
  (text: string): Action =>
  (socket) =>
    void socket.write(text);

/** Says nothing, ever. */
export const hang: Action = () => {};

/** Drops the connection, with a RST where it is not encrypted. */
export const reset: Action = (socket) =>
  void (socket instanceof TLSSocket ? socket.destroy() : socket.resetAndDestroy());

/** Sends a FIN and goes on reading. */
export const halfClose: Action = (socket) => void socket.end();

/** Says `text` and closes. */
export const sayAndClose =
  (text: string): Action =>
  (socket) =>
    void socket.end(text);

/** Says `text` one byte at a time, a byte each `everyMs` milliseconds, so that no idle timer ever fires. */
export function drip(text: string, everyMs = 20): Action {
  return (socket) => {
    let at = 0;
    const timer = setInterval(() => {
      if (at < text.length) socket.write(text.charAt(at++));
    }, everyMs);
    socket.once('close', () => clearInterval(timer));
  };
}

/** Says `head`, then `more` for as long as anybody listens. */
export function endless(head: string, more: string): Action {
  return (socket) => {
    const pour = () => {
      while (!socket.destroyed && socket.write(more));
    };
    socket.on('drain', pour);
    socket.write(head);
    pour();
  };
}

/** Goes over to TLS (RFC 3207) with a self-signed certificate. */
export const startTls: Action = (socket) => {
  socket.write('220 go ahead\r\n');
  socket.removeAllListeners('data');
  new TLSSocket(socket, { isServer: true, key: KEY, cert: CERTIFICATE }).on('error', () => socket.destroy());
};

/** One HTTP request as it came. */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly head: string;
  readonly body: string;
}

/** Reads requests with a Content-Length (or none) off a kept connection, and acts on each. */
export function http(act: (request: WireRequest) => Action): Action {
  return (socket) => {
    let buffer = '';
    socket.setEncoding('utf8');
    socket.on('end', () => socket.end());
    socket.on('data', (chunk: string) => {
      buffer += chunk;
      for (let end = buffer.indexOf('\r\n\r\n'); end >= 0; end = buffer.indexOf('\r\n\r\n')) {
        const head = buffer.slice(0, end);
        const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
        if (Buffer.byteLength(buffer.slice(end + 4)) < length) return;
        const body = Buffer.from(buffer.slice(end + 4))
          .subarray(0, length)
          .toString();
        buffer = buffer.slice(end + 4 + body.length);
        const [method = '', path = ''] = head.split(' ');
        act({ method, path, head, body })(socket);
      }
    });
  };
}

/** An HTTP answer with a correct length. */
export function answer(status: number, body = '', headers: Readonly<Record<string, string>> = {}): Action {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const bodiless = status < 200 || status === 204 || status === 304;
  const length = bodiless ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  return say(`HTTP/1.1 ${status} Scripted\r\n${lines.join('')}${length}\r\n${bodiless ? '' : body}`);
}

/** What an SMTP server does at each step; a step left out goes well. `message` is the reply to the final dot. */
export interface SmtpScript {
  readonly greeting?: Action;
  readonly EHLO?: Action;
  readonly STARTTLS?: Action;
  readonly AUTH?: Action;
  readonly MAIL?: Action;
  readonly RCPT?: Action;
  readonly DATA?: Action;
  readonly message?: Action;
  /** Told of every message when its final dot has come, before the reply. */
  readonly onMessage?: (source: string) => void;
}

/** Speaks SMTP (RFC 5321) by script. The script is asked anew at every step, so that it may change in between. */
export function smtp(script: () => SmtpScript): Action {
  return (socket) => {
    let buffer = '';
    let inMessage = false;
    const turn = (): boolean => {
      const mark = inMessage ? '\r\n.\r\n' : '\r\n';
      const end = buffer.indexOf(mark);
      if (end < 0) return false;
      const text = buffer.slice(0, end);
      buffer = buffer.slice(end + mark.length);
      if (inMessage) {
        inMessage = false;
        script().onMessage?.(`${text}\r\n`);
        (script().message ?? say('250 2.0.0 taken\r\n'))(socket);
      } else {
        inMessage = obey(script(), text.slice(0, 4).toUpperCase().trim(), socket);
      }
      return true;
    };
    socket.setEncoding('latin1');
    socket.on('end', () => socket.end());
    socket.on('data', (chunk: string) => {
      buffer += chunk;
      while (turn());
    });
    (script().greeting ?? say('220 wire.test ready\r\n'))(socket);
  };
}

/** Acts on one command. True when the message follows. */
function obey(script: SmtpScript, verb: string, socket: Socket): boolean {
  const extensions = `250-wire.test\r\n250-8BITMIME\r\n${script.AUTH ? '250-AUTH PLAIN\r\n' : ''}250 SMTPUTF8\r\n`;
  if (verb === 'EHLO') (script.EHLO ?? say(extensions))(socket);
  else if (verb === 'HELO') (script.EHLO ?? say('250 wire.test\r\n'))(socket);
  else if (verb === 'STAR') (script.STARTTLS ?? say('454 4.7.0 no TLS here\r\n'))(socket);
  else if (verb === 'AUTH') (script.AUTH ?? say('235 2.7.0 welcome\r\n'))(socket);
  else if (verb === 'MAIL') (script.MAIL ?? say('250 2.1.0 ok\r\n'))(socket);
  else if (verb === 'RCPT') (script.RCPT ?? say('250 2.1.5 ok\r\n'))(socket);
  else if (verb === 'DATA') (script.DATA ?? say('354 go on\r\n'))(socket);
  else if (verb === 'QUIT') socket.end('221 bye\r\n');
  else socket.write('250 ok\r\n');
  return verb === 'DATA' && script.DATA === undefined;
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve());
  });
}

function within(ms: number, start: (wake: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`still open after ${ms} ms`)), ms);
    start(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Of nobody, for localhost, until 2126: made for these tests with `openssl req -x509 -newkey ec`. */
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgPW+3X5jk9w6Np04V
ousSaY5u/xgRrGrIC0zQeBFCEumhRANCAAQjKNAW9X7VKF2WB3fXxiNvMXeBOnJU
J/aKwQBX7Qhx1fBsgJbXOReoz3+9bU48w7+DhTTSgquT82zr2cj4zW6r
-----END PRIVATE KEY-----`;
/** What the servers with `tls` present; whoever takes it for an authority trusts them. */
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUc3T/L8ZHkJrYakR8ECZlKmug+kkwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjExNTcwNVoYDzIxMjYxMDI5
MTE1NzA1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQjKNAW9X7VKF2WB3fXxiNvMXeBOnJUJ/aKwQBX7Qhx1fBsgJbXOReo
z3+9bU48w7+DhTTSgquT82zr2cj4zW6ro28wbTAdBgNVHQ4EFgQU514L8tfSMN4K
7gD7mCwQdqQYCq8wHwYDVR0jBBgwFoAU514L8tfSMN4K7gD7mCwQdqQYCq8wDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSQAwRgIhAIOzTAe6F3yTYxr+TuAfw/fUTGvtYIopcxT9S+QOqQtrAiEA
o11nset4ageZcnJN95mOq0VgnpdLtDgetq98SyfBPuM=
-----END CERTIFICATE-----`;
