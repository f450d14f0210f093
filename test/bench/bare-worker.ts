import { BARE_QUEUE, openBareEngine } from './bare-engine.js';

/*
 * A BullMQ worker whose jobs do nothing. Told `{expect: n}` over IPC, it answers `{at}`, in epoch milliseconds, when it
 * has worked off n more.
 */
const CONCURRENCY = 50;

const engine = await openBareEngine(1);
let left = 0;
engine.work(
  BARE_QUEUE,
  async () => {
    left -= 1;
    if (left === 0) process.send?.({ at: Date.now() });
  },
  { concurrency: CONCURRENCY },
);
process.on('message', (message) => {
  left = Number(Object(message).expect);
});
process.once('SIGTERM', () => process.exit(0));
process.once('disconnect', () => process.exit(0));
process.send?.({ ready: true });
