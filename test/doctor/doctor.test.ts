import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../support/ports.js';
import { startProcess } from '../support/process.js';
import { BROKEN_ALERTING } from './broken-alerting.js';
import { diagnose, diagnoseAlone, runDoctor } from './diagnose.js';
import { at, type Case, listening, type Parts, portOf, startParts } from './parts.js';

/** Each of these is broken in one way, and else as `whole`. The parts are real: only the settings lead astray. */
const BROKEN: readonly Case[] = [
  [
    'no DATABASE_URL',
    () => ({ DATABASE_URL: '' }),
    'error',
    /DATABASE_URL is required/,
    /npm start needs none/,
  ],
  [
    'PostgreSQL is down',
    async ({ ledgers }) => ({ DATABASE_URL: at(ledgers.whole, { port: await freePort() }) }),
    'error',
    /Nothing listens at 127\.0\.0\.1:\d+, where DATABASE_URL/,
    /Start PostgreSQL/,
  ],
  [
    'no such host',
    ({ ledgers }) => ({ DATABASE_URL: at(ledgers.whole, { hostname: 'ledger.invalid' }) }),
    'error',
    /no host by the name in DATABASE_URL/,
    /service/,
  ],
  [
    'the wrong password',
    ({ ledgers }) => ({ DATABASE_URL: at(ledgers.whole, { password: 'canary-4711' }) }),
    'error',
    /refuses the password of the user/,
    /ALTER ROLE/,
  ],
  [
    'no such database',
    ({ ledgers }) => ({ DATABASE_URL: at(ledgers.whole, { pathname: '/nowhere' }) }),
    'error',
    /has no database "nowhere"/,
    /createdb/,
  ],
  [
    'an empty database',
    ({ ledgers }) => ({ DATABASE_URL: ledgers.empty }),
    'warning',
    /is empty/,
    /npm run migrate/,
  ],
  [
    'an older schema',
    ({ ledgers }) => ({ DATABASE_URL: ledgers.older }),
    'warning',
    /schema is of an older Belfry/,
    /npm run migrate/,
  ],
  [
    'a user who may not create tables',
    ({ ledgers, poor }) => ({ DATABASE_URL: at(ledgers.empty, { username: poor, password: 'poor' }) }),
    'error',
    /user "doctor_poor_\d+" may not create tables/,
    /GRANT CREATE ON DATABASE/,
  ],
  ['no JWT_SECRET', () => ({ JWT_SECRET: '' }), 'error', /JWT_SECRET is required/, /openssl rand/],
  [
    'a JWT_SECRET that is too short',
    () => ({ JWT_SECRET: 'canary-4711' }),
    'error',
    /JWT_SECRET must have at least 16/,
    /openssl rand/,
  ],
  [
    'a JWT_SECRET that can be guessed',
    () => ({ JWT_SECRET: 'canary-4711-canary' }),
    'warning',
    /short enough to be guessed/,
    /openssl rand/,
  ],
  ...BROKEN_ALERTING,
  [
    'Redis is down',
    async () => ({ REDIS_URL: `redis://127.0.0.1:${await freePort()}` }),
    'error',
    /Nothing listens at .*REDIS_URL expects Redis/,
    /leave it out/,
  ],
  [
    'Redis evicts',
    ({ redis }) => ({ REDIS_URL: redis.evicting }),
    'error',
    /throw away jobs and locks/,
    /noeviction/,
  ],
  [
    'Redis has no append-only file',
    ({ redis }) => ({ REDIS_URL: redis.forgetful }),
    'warning',
    /no append-only file/,
    /appendonly yes/,
  ],
  [
    'the wrong password for Redis',
    ({ redis }) => ({ REDIS_URL: redis.locked.replace('//', '//:canary-4711@') }),
    'error',
    /Redis at .* refuses the user or password/,
    /redis:\/\/:password@/,
  ],
  [
    'broken templates',
    ({ dir }) => ({ TEMPLATES_DIR: path.join(dir, 'templates') }),
    'error',
    /templates in .* cannot be used/,
    /Mend the files/,
  ],
  [
    'a malformed SMTP_URL',
    () => ({ SMTP_URL: 'http://canary-4711' }),
    'error',
    /smtp cannot be used: SMTP_URL/,
    /smtp:\/\/user:password@host/,
  ],
  [
    'half of Twilio',
    () => ({ TWILIO_AUTH_TOKEN: '', SMS_ANSWERS: '' }),
    'error',
    /twilio cannot be used: TWILIO_AUTH_TOKEN/,
    /Twilio console/,
  ],
  ['nobody who carries mail', () => ({ SMTP_URL: '' }), 'warning', /Nobody carries email/, /SMTP_URL/],
  [
    'a mail server that is away',
    async () => ({ SMTP_URL: `smtp://127.0.0.1:${await freePort()}` }),
    'warning',
    /mail server 127\.0\.0\.1:\d+ cannot be reached/,
    /firewall/,
  ],
  [
    'a mail server of a second account that is not there',
    async () => ({ SMTP_URL_2: `smtp://127.0.0.1:${await freePort()}` }),
    'warning',
    /The mail server 127\.0\.0\.1:\d+ cannot be reached/,
    /port in SMTP_URL_2,/,
  ],
  [
    'a mail server that refuses the login',
    ({ strictMailPort }) => ({ SMTP_URL: `smtp://me:canary-4711@127.0.0.1:${strictMailPort}` }),
    'error',
    /refuses the login of me \(535\)/,
    /user and password in SMTP_URL/,
  ],
  [
    'a mail server without TLS',
    ({ sandbox }) => ({ SMTP_URL: `${sandbox.smtpUrl}?requireTLS=true` }),
    'error',
    /No secure connection to the mail server/,
    /smtps:/,
  ],
  [
    'a worker without queues',
    () => ({ WORKER_QUEUES: 'fax.*' }),
    'error',
    /WORKER_QUEUES matches no queue/,
    /email\.\*/,
  ],
  [
    'a queue that is not there',
    () => ({ WORKER_QUEUES: 'email.*,fax.*' }),
    'warning',
    /names no queue with fax\.\*/,
    /leave WORKER_QUEUES out/,
  ],
  [
    'a port that another program has',
    ({ takenPort }) => ({ PORT: String(takenPort) }),
    'error',
    /Port \d+, .* is taken by another program/,
    /set PORT to another/,
  ],
  [
    'an address of another machine',
    () => ({ HOST: '192.0.2.1' }),
    'error',
    /cannot listen on 192\.0\.2\.1 .*EADDRNOTAVAIL/,
    /Set HOST/,
  ],
];

/** Shifts what the process takes for the time by a minute. */
const CLOCK_AHEAD = `--import=data:text/javascript,${encodeURIComponent('const now=Date.now;Date.now=()=>now()+60000')}`;

describe('the doctor', () => {
  let parts: Parts;
  before(async () => {
    parts = await startParts();
  });
  after(() => parts?.stop());
  const said: string[] = [];

  it('finds nothing to mend where all is well, and so the program ends with 0', async () => {
    const { code, ok, findings } = await diagnoseAlone(parts.whole, parts.dir);
    assert.deepEqual(
      findings.filter(({ level }) => level !== 'ok'),
      [],
    );
    assert.deepEqual({ code, ok }, { code: 0, ok: true });
  });

  describe('of a broken installation', { concurrency: 3 }, () => {
    for (const [what, env, level, finding, remedy] of BROKEN) {
      it(`says what to do about ${what}`, async () => {
        const findings = await diagnose({ ...parts.whole, ...(await env(parts)) });
        const wrong = findings.filter((one) => one.level !== 'ok');
        assert.equal(wrong.length, 1, JSON.stringify(findings, null, 1));
        const [only] = wrong;
        assert.match(only?.finding ?? '', finding);
        assert.match(only?.remedy ?? '', remedy);
        assert.equal(only?.level, level);
        assert.doesNotMatch(JSON.stringify(findings), /canary-4711/);
        said.push(only?.finding ?? '');
      });
    }
  });

  it('says what to do about a clock that is ahead, and that Belfry would run all the same', async () => {
    const env = { ...parts.whole, NODE_OPTIONS: CLOCK_AHEAD };
    const { code, ok, findings } = await diagnoseAlone(env, parts.dir);
    const wrong = findings.filter((one) => one.level !== 'ok');
    assert.deepEqual([code, ok, wrong.length], [0, true, 1], JSON.stringify(findings, null, 1));
    assert.match(wrong[0]?.finding ?? '', /clock of this machine is 6\d s ahead of/);
    assert.match(wrong[0]?.remedy ?? '', /NTP/);
  });

  it('has a sentence of its own for each', () => {
    assert.equal(said.length, BROKEN.length);
    assert.deepEqual(said.length, new Set(said).size);
  });

  it('says on a terminal what it says in JSON', async () => {
    const env = { ...parts.whole, JWT_SECRET: '', WORKER_QUEUES: 'fax.*' };
    const findings = await diagnose(env);
    const { code, stdout } = await runDoctor(env, parts.dir);
    for (const { finding, remedy = '' } of findings)
      assert.ok(stdout.includes(finding) && stdout.includes(remedy));
    assert.match(stdout, /Belfry would not run here: 2 to mend\.$/);
    assert.equal(code, 1);
  });

  it('knows a Belfry that has the port', async () => {
    const api = await startProcess('apps/api/bundle/main.js', { ...parts.whole, LOG_LEVEL: 'warn' });
    try {
      const findings = await diagnose(parts.whole);
      assert.ok(findings.some(({ finding }) => finding === `Belfry's API runs at port ${parts.whole.PORT}.`));
    } finally {
      await api.stop();
    }
  });

  it('gives up on a mail server that says nothing', async () => {
    const silent = createServer().on('connection', (socket) => socket.on('error', () => undefined));
    await listening(silent);
    const findings = await diagnose({ ...parts.whole, SMTP_URL: `smtp://127.0.0.1:${portOf(silent)}` });
    silent.close();
    assert.ok(
      findings.some(({ level, finding }) => level === 'warning' && /cannot be reached/.test(finding)),
    );
  });
});
