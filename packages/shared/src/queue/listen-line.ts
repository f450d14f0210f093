import { EventEmitter } from 'node:events';
import type { PgPool, PostgresConnection } from 'bullmq';

type Client = Awaited<ReturnType<PgPool['connect']>>;

/** The one connection on which a process hears from PostgreSQL that there are jobs, for all its workers. */
export interface ListenLine {
  /** Lets a worker's backend listen on this line instead of on a connection of its own. */
  lendTo(backend: PostgresConnection): void;
  /** Gives the connection back. Twice is fine. */
  close(): void;
}

/**
 * BullMQ gives each worker a connection to listen on, which makes twenty for a process that serves all queues; the server
 * has a hundred. All of them listen on the same two channels and pick their own queue out of what they hear, so one does.
 * When it breaks, every worker is told, as BullMQ would tell its own: they wake, look for themselves, and listen anew.
 */
export function createListenLine(pool: PgPool, onError: (error: Error) => void): ListenLine {
  const borrowers = new Set<PostgresConnection>();
  let line: Promise<Client> | undefined;
  let held: Client | undefined;
  let closed = false;

  async function connect(): Promise<Client> {
    const client = await pool.connect();
    if (closed) {
      client.release(true);
      throw new Error('The process is stopping.');
    }
    held = client;
    oneAtATime(client);
    // Every waiting worker adds a listener of its own.
    if (client instanceof EventEmitter) client.setMaxListeners(0);
    client.on('error', (error) => {
      onError(error);
      if (held !== client) return;
      hangUp();
      for (const borrower of borrowers) borrower.emit('listenerinvalidated');
    });
    return client;
  }

  async function listen(): Promise<Client> {
    line ??= connect();
    const mine = line;
    try {
      return await mine;
    } catch (error) {
      if (line === mine) line = undefined;
      throw error;
    }
  }

  function hangUp(): void {
    const client = held;
    held = undefined;
    line = undefined;
    client?.removeAllListeners('notification');
    // Destroyed, so that nobody borrows it from the pool with its subscriptions.
    client?.release(true);
  }

  return {
    lendTo(connection) {
      borrowers.add(connection);
      connection.getListenClient = listen;
      // The line has the name of the process: it is nobody's alone.
      connection.setListenClientName = async () => undefined;
      connection.once('close', () => borrowers.delete(connection));
    },
    close() {
      closed = true;
      hangUp();
    },
  };
}

/** Several workers subscribe at once, and a connection answers one question after the other. */
function oneAtATime(client: Client): void {
  const query = client.query.bind(client);
  let last: Promise<unknown> = Promise.resolve();
  client.query = <Row>(text: string, values?: readonly unknown[]) => {
    const answer = last.then(() => query<Row>(text, values));
    last = answer.catch(() => undefined);
    return answer;
  };
}
