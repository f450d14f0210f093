import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { arriving, limitArrival } from '@belfry/api/middleware/arrival.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import { type Listening, listen } from '@belfry/shared/service/listen.js';
import express from 'express';
import { waitFor } from '../support/wait.js';

const ARRIVAL_MS = 400;
/** A tenth of a second more for every 100 bytes. */
const PATIENCE = { waitMs: 300, bytesPerSecond: 1_000, longestMs: 3_000 };

/** A server with the product's own limits on arrival, made short, with one route that takes long bodies. */
describe('a request that takes its time', () => {
  let server: Listening;
  const arrived: number[] = [];
  before(async () => {
    const app = express();
    app.post('/slow', async (req, res) => {
      let size = 0;
      try {
        for await (const chunk of arriving(req, PATIENCE)) {
          size += chunk.length;
          arrived.push(size);
        }
        res.json({ size });
      } catch (error) {
        assert.ok(error instanceof Refusal);
        res.status(error.code === 'too_slow' ? 408 : 422).json({ size, code: error.reason });
      }
    });
    app.post('/left', async (req, res) => {
      for await (const _ of arriving(req, PATIENCE)) break;
      res.json({});
    });
    app.post('/plain', express.text({ type: '*/*' }), (_req, res) => void res.json({}));
    server = await listen(app, {
      host: '127.0.0.1',
      port: 0,
      setting: 'PORT',
      connections: 100,
      requestMs: 60_000,
      prepare: (server) => limitArrival(server, ARRIVAL_MS),
    });
  });
  after(() => server.stop(1_000));

  /** Begins a request; more of its body can be said at any time. */
  function begin(
    path: string,
    length: number,
    connection = 'close',
  ): { socket: Socket; ended: Promise<string>; since: number } {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    let text = '';
    socket.on('data', (data) => {
      text += data.toString();
    });
    socket.on('error', () => undefined);
    const since = performance.now();
    const ended = new Promise<string>((resolve) => socket.once('close', () => resolve(text)));
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: ${connection}\r\nContent-Type: text/plain\r\nContent-Length: ${length}\r\n\r\n`,
    );
    return { socket, ended, since };
  }

  /** Says `text` again and again, `everyMs`, until the connection is closed. */
  function drip(socket: Socket, text: string, everyMs: number): void {
    const timer = setInterval(() => socket.write(text), everyMs);
    socket.once('close', () => clearInterval(timer));
  }

  test('is cut off on an ordinary route, even if a byte comes now and then', async () => {
    const { socket, ended, since } = begin('/plain', 10_000);
    drip(socket, 'x', 20);
    assert.match(await ended, /^HTTP\/1\.1 408 /);
    const took = performance.now() - since;
    assert.ok(took >= ARRIVAL_MS - 20, `${took} ms`);
  });

  test('may go on for much longer on a route that takes long ones, as long as enough comes', async () => {
    const { socket, ended, since } = begin('/slow', 1_500);
    drip(socket, 'x'.repeat(50), 40);
    const answer = await ended;
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.match(answer, /"size":1500/);
    assert.ok(performance.now() - since > 2 * ARRIVAL_MS, 'it took longer than an ordinary one may');
  });

  test('is told so there too when a byte comes now and then, or nothing at all', async () => {
    for (const text of ['x', '']) {
      const { socket, ended } = begin('/slow', 100_000);
      drip(socket, text, 50);
      assert.match(await ended, /^HTTP\/1\.1 408 [\s\S]*"code":"too_slow"/);
    }
  });

  test('ends at last, however much comes', async () => {
    const { socket, ended, since } = begin('/slow', 100_000_000);
    drip(socket, 'x'.repeat(500), 50);
    assert.match(await ended, /^HTTP\/1\.1 408 /);
    const took = performance.now() - since;
    assert.ok(took >= PATIENCE.longestMs - 20, `${took} ms`);
  });

  test('is cut off too when it was answered before its end, and the rest is only thrown away', async () => {
    const { socket, ended, since } = begin('/left', 10_000, 'keep-alive');
    drip(socket, 'x', 20);
    assert.match(await ended, /^HTTP\/1\.1 200 /);
    const took = performance.now() - since;
    assert.ok(took >= ARRIVAL_MS - 20 && took < 5_000, `${took} ms`);
  });

  test('that is broken off is no outage of anything', async () => {
    const before = arrived.length;
    const { socket } = begin('/slow', 100_000);
    socket.write('x');
    await waitFor(() => arrived.length > before);
    socket.resetAndDestroy();
    // The next one is served as if nothing had been.
    const next = begin('/slow', 1);
    next.socket.write('x');
    assert.match(await next.ended, /^HTTP\/1\.1 200 /);
  });
});
