import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { accept, type Books, takeFault } from './books.js';
import { LONGEST_HOLD_MS, type Moment } from './fault-rule.js';
import { type Listener, within } from './listener.js';
import { readMail } from './mail.js';
import { playOnSmtp, SmtpReply } from './smtp-fault.js';

const MOST_OCTETS = 32 * 1024 * 1024;
const STOP_MS = 2_000;
const QUEUED = 'OK: message queued';

type Done = (error?: Error | null, reply?: string) => void;

/**
 * An SMTP server (RFC 5321 with PIPELINING, 8BITMIME, SMTPUTF8, SIZE and AUTH) that takes any mail from anybody,
 * with any credentials or none. There is no TLS: it is meant for the same machine.
 */
export async function startSmtp(books: Books, host: string, port: number): Promise<Listener> {
  const sockets = new Map<string, Socket>();
  const server = new SMTPServer({
    name: 'sandbox.belfry.invalid',
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    authOptional: true,
    authMethods: ['PLAIN', 'LOGIN', 'XOAUTH2'],
    disableReverseLookup: true,
    logger: false,
    size: MOST_OCTETS,
    socketTimeout: LONGEST_HOLD_MS,
    onAuth: (auth, _session, done) => done(null, { user: auth.username ?? 'anybody' }),
    onConnect: (session, done) => step('connect', session, [], done),
    onMailFrom: (_address, session, done) => {
      books.calls.tried('email');
      step('mail', session, [], done);
    },
    onRcptTo: ({ address }, session, done) => step('rcpt', session, [address], done),
    onData: (stream, session, done) => void receive(stream, session, done),
  });
  server.server.on('connection', (socket) => {
    const key = peerOf(socket.remoteAddress, socket.remotePort);
    sockets.set(key, socket);
    socket.once('close', () => sockets.delete(key));
  });
  // A client that breaks off is an ordinary event here, and the library reports each as an error.
  server.on('error', () => undefined);

  server.listen(port, host);
  await once(server.server, 'listening');
  return { port: (server.server.address() as AddressInfo).port, stop };

  function step(moment: Moment, session: SMTPServerSession, recipients: string[], done: Done): void {
    const action = takeFault(books, { channel: 'email', provider: 'smtp', moment, recipients });
    if (action !== undefined && moment === 'connect') books.calls.tried('email');
    if (action === undefined) done();
    else if (action.kind === 'smtp') refuse(new SmtpReply(action), done);
    else if (action.kind === 'drop') socketOf(session)?.destroy();
  }

  async function receive(
    stream: SMTPServerDataStream,
    session: SMTPServerSession,
    done: Done,
  ): Promise<void> {
    const raw = await readWhole(stream);
    if (raw === 'broken off') return;
    if (raw === 'too long') return refuse(new SmtpReply({ code: 552, text: 'Message too long' }), done);
    const { envelope } = session;
    const recipients = envelope.rcptTo.map(({ address }) => address);
    const mail = await readMail(raw, {
      from: envelope.mailFrom === false ? '' : envelope.mailFrom.address,
      recipients,
    });
    if (mail === 'unreadable')
      return refuse(new SmtpReply({ code: 554, text: 'The message cannot be parsed' }), done);
    const socket = socketOf(session);
    // A client that left after its last byte gets no reply anyway; like a real server, keep what was handed over.
    const action =
      socket === undefined
        ? undefined
        : takeFault(books, { channel: 'email', provider: 'smtp', moment: 'message', recipients });
    const succeed = () => {
      books.calls.answered('email', 250);
      done(null, QUEUED);
    };
    if (action === undefined || socket === undefined) {
      accept(books, mail);
      return succeed();
    }
    playOnSmtp(action, {
      socket,
      reply: `250 ${QUEUED}`,
      accept: () => void accept(books, mail),
      succeed,
      refuse: (reply) => refuse(reply, done),
    });
  }

  function refuse(reply: SmtpReply, done: Done): void {
    books.calls.answered('email', reply.responseCode);
    done(reply);
  }

  function socketOf({ remoteAddress, remotePort }: SMTPServerSession): Socket | undefined {
    return sockets.get(peerOf(remoteAddress, remotePort));
  }

  async function stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      server.close(resolve);
    });
    for (const socket of sockets.values()) socket.destroy();
    await within(STOP_MS, closed);
  }
}

async function readWhole(stream: SMTPServerDataStream): Promise<Buffer | 'broken off' | 'too long'> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size <= MOST_OCTETS) chunks.push(chunk);
    }
  } catch {
    return 'broken off';
  }
  return size > MOST_OCTETS ? 'too long' : Buffer.concat(chunks);
}

// The library gives a handler the session, not its socket; the peer's address and port name both.
function peerOf(address: string | undefined, port: number | undefined): string {
  return `${(address ?? '').replace(/^::ffff:/i, '').toLowerCase()} ${port ?? 0}`;
}
