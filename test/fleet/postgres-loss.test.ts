import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { addSource } from '../api/inbound-places.js';
import { assertProblem } from '../api/problem.js';
import { forEachEngine } from '../support/engines.js';
import { type Fleet, withFleet } from '../support/fleet.js';
import { ask } from '../support/http.js';
import { freePort } from '../support/ports.js';
import { startPostgres, temporaryDir } from '../support/postgres.js';
import { waitFor } from '../support/wait.js';

forEachEngine((engine) => {
  test('while PostgreSQL is away every call is refused with 503, and after its return the same processes go on; nothing accepted is lost', async (t) => {
    const home = { dataDir: temporaryDir(), port: await freePort() };
    let postgres = await startPostgres(home);
    const database = { url: postgres.url, drop: async () => undefined };
    try {
      await withFleet({ engine, database, workers: [{}, {}] }, async (fleet) => {
        const { sandbox, page, untilSettled, apis, workers } = fleet;
        const authorization = `Bearer ${await addSource(fleet, 'script', { kind: 'json' })}`;
        const inbound = () =>
          ask(
            'POST',
            `${fleet.api.url}/api/v1/inbound/script`,
            { type: 'x', message: 'x' },
            { authorization },
          );
        await sandbox.fault({ channel: 'email', action: { kind: 'delay', ms: 30 } });
        const caller = keepCalling(fleet);
        await waitFor(async () => (await sandbox.stats()).total > 10, { timeoutMs: 30_000 });

        // SIGQUIT is an immediate shutdown: no checkpoint, every connection cut.
        process.kill(postgres.pid, 'SIGQUIT');
        await postgres.ended;
        const awaySince = caller.answers.length;
        await waitFor(() => caller.answers.length > awaySince + 10, { timeoutMs: 60_000 });
        const ready = await page('/ready', { as: null });
        assert.equal(ready.status, 503, ready.text);
        assertProblem(await inbound(), 503, { code: 'unavailable' });
        const away = caller.answers.slice(awaySince + 2, awaySince + 10);
        assert.deepEqual([...new Set(away.map(({ status }) => status))], [503]);
        assert.ok(away.every(({ retryAfter }) => Number(retryAfter) > 0));

        postgres = await startPostgres(home);
        const backAt = performance.now();
        const accepted = caller.accepted.length;
        await waitFor(() => caller.accepted.length > accepted + 5, {
          timeoutMs: 60_000,
          what: 'calls to be accepted again',
        });
        t.diagnostic(
          `calls were accepted again ${Math.round(performance.now() - backAt)} ms after its return`,
        );
        assert.equal((await inbound()).status, 200, 'an alert source comes again');
        await caller.stop();
        await untilSettled({ timeoutMs: 90_000 });

        const arrived = new Set((await sandbox.messages()).map(({ to }) => to));
        assert.deepEqual(
          caller.accepted.filter((to) => !arrived.has(to)),
          [],
          'accepted and never sent',
        );
        assert.deepEqual([...new Set(caller.answers.map(({ status }) => status))].sort(), [202, 503]);
        for (const child of [...apis, ...workers])
          assert.equal(await Promise.race([child.exited, 'alive']), 'alive');
        t.diagnostic(
          `${caller.accepted.length} accepted, ${caller.answers.length - caller.accepted.length} refused`,
        );
      });
    } finally {
      await postgres.stop();
      rmSync(home.dataDir, { recursive: true, force: true });
    }
  });
});

type Answered = { readonly status: number; readonly retryAfter: string | null };

/** Sends one mail after the other until it is stopped; keeps every answer, and whom a mail was accepted for. */
function keepCalling({ call }: Fleet) {
  const answers: Answered[] = [];
  const accepted: string[] = [];
  let going = true;
  const loop = (async () => {
    for (let n = 0; going; n += 1) {
      const to = `n${n}@outage.test`;
      const { status, headers } = await call('POST', '/notifications/email/send', {
        to,
        subject: 'Hello',
        body: 'There',
      });
      answers.push({ status, retryAfter: headers.get('retry-after') });
      if (status === 202) accepted.push(to);
    }
  })();
  return {
    answers,
    accepted,
    async stop() {
      going = false;
      await loop;
    },
  };
}
