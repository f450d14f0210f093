import type { Socket } from 'node:net';
import type { FaultAction } from './fault-rule.js';

type SmtpAction = Extract<FaultAction, { kind: 'smtp' }>;

/** An SMTP reply as smtp-server wants it: an error whose `responseCode` is the reply code. */
export class SmtpReply extends Error {
  readonly responseCode: number;

  constructor({ code, enhanced, text }: Pick<SmtpAction, 'code' | 'enhanced' | 'text'>) {
    const words = text ?? (code < 500 ? 'Try again later' : 'Refused');
    super(enhanced === undefined ? words : `${enhanced} ${words}`);
    this.responseCode = code;
  }
}

/** What a protocol lends to a fault that is played on its answer to a message. */
export interface SmtpStage {
  readonly socket: Socket;
  /** The good reply, as it would be sent. */
  readonly reply: string;
  /** Takes the message in. */
  accept(): void;
  /** Sends the good reply. */
  succeed(): void;
  /** Sends this reply instead. */
  refuse(reply: SmtpReply): void;
}

/** Answers the end of DATA in the way that `action` asks for. */
export function playOnSmtp(action: FaultAction, { socket, reply, accept, succeed, refuse }: SmtpStage): void {
  switch (action.kind) {
    case 'smtp':
      refuse(new SmtpReply(action));
      return;
    case 'hang':
      if (action.at === 'after') accept();
      return;
    case 'drip':
      accept();
      drip(socket, `${reply}\r\n`, action.interval_ms);
      return;
    case 'accept-and-drop':
      accept();
      socket.destroy();
      return;
    case 'drop':
      socket.destroy();
      return;
    case 'malformed':
      if (action.at === 'after') accept();
      socket.end('<!doctype html>\r\n\u0000\u00ff not a reply\r\n', 'latin1');
      return;
    case 'delay':
      accept();
      setTimeout(succeed, action.ms).unref();
      return;
    case 'status':
      throw new TypeError('a rule for SMTP cannot hold an HTTP status');
  }
}

// The library writes replies whole, so this one goes past it, and the session ends with the last byte.
function drip(socket: Socket, text: string, intervalMs: number): void {
  const bytes = Buffer.from(text);
  let sent = 0;
  const timer = setInterval(() => {
    socket.write(bytes.subarray(sent, sent + 1));
    sent += 1;
    if (sent < bytes.length) return;
    clearInterval(timer);
    socket.end();
  }, intervalMs);
  socket.once('close', () => clearInterval(timer));
}
