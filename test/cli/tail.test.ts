import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { startProcess, type TestProcess } from '../support/process.js';
import { waitFor } from '../support/wait.js';
import { cliOf } from './run-cli.js';

describe('belfry tail', () => {
  const fleet = useFleet({ engine: 'postgres' });

  async function tail(...args: readonly string[]): Promise<TestProcess> {
    const options = { readyMessage: false, inheritEnv: false, args: ['tail', '--every', '0.1', ...args] };
    return startProcess('apps/cli/bundle/main.js', cliOf(fleet()).env, options);
  }

  /** Sends until the first of them is seen: from then on it surely follows. */
  async function untilFollowing(child: TestProcess): Promise<void> {
    await waitFor(
      async () => {
        await fleet().send({ user_id: 'canary', message: 'Is it there?' });
        return child.stdout.some((line) => line.includes('canary'));
      },
      { timeoutMs: 30_000, everyMs: 200, what: 'the first line of tail' },
    );
  }

  const seen = (child: TestProcess, id: string) =>
    child.stdout.map((line) => JSON.parse(line)).filter((one) => one.id === id);

  it('shows what is new and how it ends, one object a line, and ends cleanly on Ctrl-C', async () => {
    await fleet().person('canary');
    await fleet().person('abebe', { email: 'abebe@example.com' });
    const child = await tail('--json');
    await untilFollowing(child);
    const sent = await fleet().send({ user_id: 'abebe', message: 'Now' });
    const later = await fleet().send({
      user_id: 'abebe',
      message: 'Later',
      send_at: Date.now() / 1000 + 3600,
    });
    await waitFor(() => seen(child, sent).at(-1)?.status === 'SENT', { what: 'the end of the one' });
    await waitFor(() => seen(child, later).length === 1, { what: 'the other' });
    await fleet().call('POST', `/notifications/${later}/cancel`);
    await waitFor(() => seen(child, later).length === 2, { what: 'its end' });
    assert.deepEqual(
      seen(child, later).map(({ status }) => status),
      ['PENDING', 'CANCELLED'],
    );
    const { body } = await fleet().call('GET', '/notifications?user_id=abebe&status=SENT');
    assert.deepEqual(seen(child, sent).at(-1), JSON.parse(JSON.stringify(body))[0]);
    const lines = child.stdout.map((line) => `${JSON.parse(line).id} ${JSON.parse(line).status}`);
    assert.equal(new Set(lines).size, lines.length, 'nothing is shown twice');
    child.kill('SIGINT');
    assert.deepEqual(await child.exited, { code: 0, signal: null });
    assert.deepEqual(child.stderr, []);
  });

  it('shows only what it is asked for, from when it is asked', async () => {
    const child = await tail('--user', 'abebe', '--status', 'cancelled', '--since', '1h', '--json');
    await waitFor(() => child.stdout.length > 0, { what: 'what was there' });
    const shown = child.stdout.map((line) => JSON.parse(line));
    assert.deepEqual(
      [...new Set(shown.map(({ user_id, status }) => `${user_id} ${status}`))],
      ['abebe CANCELLED'],
    );
    child.kill('SIGTERM');
    assert.equal((await child.exited).code, 0);
  });

  it('waits for an API that is away, and goes on', async () => {
    const port = new URL(fleet().api.url).port;
    const child = await tail();
    await untilFollowing(child);
    await fleet().api.stop();
    await waitFor(() => child.stderr.some((line) => line.includes('Trying on until Ctrl-C')), {
      what: 'a word on it',
    });
    const again = await fleet().addApi({ PORT: port });
    await waitFor(() => child.stderr.some((line) => line.includes('answers again')), {
      timeoutMs: 20_000,
      what: 'the API',
    });
    const { body } = await fleet().call(
      'POST',
      '/notifications/send',
      { user_id: 'abebe', message: 'Back' },
      { api: 1 },
    );
    await waitFor(() => child.stdout.some((line) => line.includes(String(body.notification_id))), {
      what: 'the new one',
    });
    child.kill('SIGINT');
    assert.equal((await child.exited).code, 0);
    await again.stop();
  });

  it('ends with 1 when it may not look', async () => {
    const third = await fleet().addApi();
    const env = { BELFRY_URL: third.url, BELFRY_TOKEN: await fleet().token('user') };
    const child = await startProcess('apps/cli/bundle/main.js', env, {
      readyMessage: false,
      inheritEnv: false,
      args: ['tail'],
    });
    assert.equal((await child.exited).code, 1);
    assert.match(child.stderr.join('\n'), /Forbidden/);
  });
});
