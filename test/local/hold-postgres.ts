import { startEmbeddedPostgres } from '@belfry/local/embedded-postgres.js';

// A process that does nothing but hold an embedded PostgreSQL, so that a test can end it in any way.
const started = await startEmbeddedPostgres({ dataDir: process.env.HOLD_DATA_DIR ?? '' });
if ('problem' in started) {
  process.stderr.write(`${started.problem}\n`);
  process.exit(1);
}
const { url, pid, keeperPid, note } = started;
process.send?.({ ready: true, url, pid, keeperPid, note });
process.once('SIGTERM', () => void started.stop().then(() => process.exit(0)));
