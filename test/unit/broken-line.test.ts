import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { openDatabase } from '@belfry/shared/ledger/database.js';
import { openEngine } from '@belfry/shared/queue/engine.js';

/*
 * Messages of PostgreSQL's protocol (§55.7 of its manual): the server lets the client in, and goes away in the same breath, so
 * that one packet says both. That is what a client sees that connects while the server is stopped.
 */
const message = (type: string, body: Buffer) =>
  Buffer.concat([Buffer.from(type), Buffer.from(new Uint32Array([body.length + 4]).buffer).swap32(), body]);
const LET_IN = [message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))];
const GOING = message(
  'E',
  Buffer.from('SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0'),
);

describe('a line that breaks before anybody has asked anything on it', () => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(Buffer.concat([...LET_IN, GOING])));
  });
  let url = '';
  before(async () => {
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    url = `postgres://belfry@127.0.0.1:${address.port}/belfry`;
  });
  after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  it('is an error of the first question to the ledger, and does not end the process', async () => {
    const database = openDatabase({ url, name: 'test', size: 2 });
    await assert.rejects(database.transaction(({ rows }) => rows('SELECT 1')));
    await assert.rejects(database.rows('SELECT 1'));
    await database.close();
  });

  it('is an error of the first question to the queues, and does not end the process', async () => {
    const engine = openEngine({
      databaseUrl: url,
      redisUrl: undefined,
      name: 'test',
      workers: 0,
      onError: () => undefined,
    });
    await assert.rejects(engine.ping());
    await engine.close();
  });
});
