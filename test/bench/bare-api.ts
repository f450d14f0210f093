import { createServer } from 'node:http';
import express from 'express';
import { BARE_QUEUE, openBareEngine } from './bare-engine.js';

/*
 * What most people would write: Express, a body parser, `queue.add`, 202. No token, no validation, no limit, no person,
 * no record. The yardstick for the accept rate.
 */
const engine = await openBareEngine(0);
const queue = engine.queue(BARE_QUEUE);
const app = express().disable('x-powered-by');
app.post('/send', express.json({ limit: '256kb' }), async (req, res) => {
  const job = await queue.add('send', req.body, { removeOnComplete: { age: 3_600, count: 1_000 } });
  res.status(202).json({ status: 'queued', id: job.id });
});
const server = createServer(app);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') {
    process.send?.({ ready: true, url: `http://127.0.0.1:${address.port}/send` });
  }
});
process.once('SIGTERM', () => process.exit(0));
process.once('disconnect', () => process.exit(0));
