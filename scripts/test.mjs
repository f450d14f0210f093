import { setMaxListeners } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { ensure, root } from './ensure.mjs';
import { fail, say, since } from './progress.mjs';
import { bundleTests } from './test-bundle.mjs';
import { ensureTools } from './test-tools.mjs';

/** Benchmarks have a command of their own. */
const OTHER_COMMANDS = ['bench'];
/** A test that hangs fails; one that is run by hand with more than usual may be given longer. */
const FILE_LIMIT_MS = Number(process.env.TEST_FILE_LIMIT_MS ?? 12 * 60_000);
/** More than there are processors: half of the files mostly wait, for a lease or a breaker to run out. */
const FILES_AT_ONCE = 3;
/**
 * The niceness of the tests. They want more than the processors have, and every one of them needs the database: it goes first, so
 * that nobody waits in vain for a connection.
 */
const GIVING_WAY = 5;
/** Bundling takes as long as starting some ten of them. */
const WORTH_BUNDLING = 20;

/** A database with every table, which most tests begin with a copy of. */
const TEMPLATE = 'belfry_template';

const startedAt = performance.now();
await ensure();
const tools = await ensureTools();
const chosen = chooseFiles(process.argv.slice(2));
const files = chosen.length < WORTH_BUNDLING ? chosen : await bundleTests(root, chosen);

const stop = new AbortController();
setMaxListeners(0, stop.signal); // every test file listens
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop.abort());

const dataDir = mkdtempSync(path.join(tmpdir(), 'belfry-test-'));
chmodSync(dataDir, 0o755); // when root runs the tests, PostgreSQL's own user must get in
const { startEmbeddedPostgres } = await import('../apps/local/dist/embedded-postgres.js');
const postgres = await startEmbeddedPostgres({ dataDir, ephemeral: true, durable: false });
if ('problem' in postgres) fail(postgres.problem);
await makeTemplate(postgres.url);
say(`PostgreSQL on port ${postgres.port}; ${chosen.length} test files in ${files.length} processes`);

Object.assign(process.env, {
  TEST_DATABASE_URL: postgres.url,
  TEST_TEMPLATE_DATABASE: TEMPLATE,
  REDIS_SERVER_PATH: tools.redisServer,
  CHROMIUM_PATH: tools.chromium,
  MOSQUITTO_PATH: tools.mosquitto,
});
// Set when a test runs this command: the runner would take itself for a test file and run nothing.
delete process.env.NODE_TEST_CONTEXT;
setPriority(GIVING_WAY); // and with this process all that it starts from here on
const counts = await runTests();
await postgres.stop();
rmSync(dataDir, { recursive: true, force: true });
summarise(counts);

async function makeTemplate(clusterUrl) {
  const { execute } = await import('../test/dist/support/postgres.js');
  const { migrateLedger } = await import('../packages/shared/dist/ledger/migrate.js');
  const { openEngine } = await import('../packages/shared/dist/queue/engine.js');
  await execute(clusterUrl, `CREATE DATABASE ${TEMPLATE}`);
  const url = new URL(clusterUrl);
  url.pathname = `/${TEMPLATE}`;
  const engine = openEngine({ databaseUrl: url.href, name: 'test', workers: 0, onError: () => undefined });
  await migrateLedger(url.href, (client) => engine.migrate(client));
  await engine.close();
}

function chooseFiles(filters) {
  const dist = path.join(root, 'test', 'dist');
  const all = testFiles(dist).filter(
    (file) => !OTHER_COMMANDS.includes(path.relative(dist, file).split(path.sep)[0]),
  );
  // A filter is a part of a path, of the source as well as of the output.
  const parts = filters.map((filter) =>
    filter.replace(/^(\.\/)?test\/(dist\/)?/, '').replace(/\.[tj]s$/, ''),
  );
  const chosen = parts.length
    ? all.filter((file) => parts.some((part) => path.relative(dist, file).includes(part)))
    : all;
  if (chosen.length === 0) fail(`No test file matches ${filters.join(', ') || 'test/dist/**/*.test.js'}`);
  return chosen;
}

function testFiles(dir) {
  return readdirSync(dir, { recursive: true })
    .filter((name) => name.endsWith('.test.js'))
    .sort()
    .map((name) => path.join(dir, name));
}

async function runTests() {
  const counted = { tests: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 };
  const stream = run({ files, concurrency: FILES_AT_ONCE, timeout: FILE_LIMIT_MS, signal: stop.signal });
  // The runner's own closing lines, one `name count` each.
  stream.on('test:diagnostic', ({ nesting, message }) => {
    const [, name, count] = /^(\w+) (\d+)$/.exec(message) ?? [];
    if (nesting === 0 && name in counted) counted[name] = Number(count);
  });
  for await (const text of stream.compose(spec)) process.stdout.write(text);
  return counted;
}

function summarise(counted) {
  say('');
  for (const [name, count] of Object.entries(counted)) say(`# ${name} ${count}`);
  say(`# duration ${since(startedAt)}`);
  if (stop.signal.aborted) process.exit(130);
  if (counted.skipped + counted.todo > 0)
    say('A skipped test counts as a failure: what is not run is not known.');
  const bad = counted.fail + counted.cancelled + counted.skipped + counted.todo;
  process.exit(bad > 0 || counted.pass === 0 ? 1 : 0);
}
