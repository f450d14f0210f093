import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import { cliOf, runCli } from './run-cli.js';

const POLICY = { steps: [{ name: 'again', after_ms: 300_000, notify: { admins: true } }], repeat: 2 };

describe('belfry escalation', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [] });
  const cli = () => cliOf(fleet());

  it('shows what is built in, writes a policy from JSON, lists it and removes it', async () => {
    assert.match(
      await cli().text('escalation', 'get', 'default'),
      /^default, which is built in.*\n1\. again, after 300 s/,
    );
    const put = await runCli(['escalation', 'put', 'disk_full', '-'], {
      env: cli().env,
      input: JSON.stringify(POLICY),
    });
    assert.equal(put.stdout, 'disk_full, repeated 2 times\n1. again, after 300 s: admins\n');
    const [listed, ...others] = items(await cli().json('escalation', 'list'));
    assert.deepEqual([others, listed?.name, listed?.repeat], [[], 'disk_full', 2]);
    await cli().text('escalation', 'remove', 'disk_full');
    assert.deepEqual(await cli().json('escalation', 'list'), []);
  });

  it('says what is no JSON, and what the API refuses', async () => {
    const broken = await runCli(['escalation', 'put', 'x', '-'], { env: cli().env, input: '{' });
    assert.match(broken.stderr, /What came is not JSON\./);
    const nobody = await runCli(['escalation', 'put', 'x', '-'], {
      env: cli().env,
      input: JSON.stringify({ steps: [{ after_ms: 1, notify: {} }] }),
    });
    assert.match(nobody.stderr, /steps\.0\.notify.*must name somebody/);
  });
});
