import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { openDatabase } from '@belfry/shared/ledger/database.js';
import { dieInNumbers } from '../ledger/dead.js';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import { items, type Json } from '../support/http.js';
import { json, useAnswering } from './answering.js';
import { cliOf, runCli } from './run-cli.js';

const NO_ID = '01a214f5-b8d7-76e5-87eb-000000000000';
/** More than the API goes through for one page. */
const MORE_THAN_A_PAGE_LOOKS_AT = 10_001;

forEachEngine((engine) => {
  // One attempt and no sweep: what fails stays dead until somebody brings it back.
  const fleet = useFleet({ engine, env: { MAX_ATTEMPTS: '1', RETRY_SWEEP_MS: '3600000' } });
  const cli = () => cliOf(fleet());
  const list = async (...args: readonly string[]) => items(await cli().json('dead', 'list', ...args));
  const namesOf = (letters: readonly Json[]) => letters.map(({ user_id }) => String(user_id));

  /** Lets the mail server refuse a mail to this person, and gives the dead letter. */
  async function die(user: string, code: number): Promise<Json> {
    const email = `${user}@example.org`;
    await fleet().person(user, { email });
    await fleet().sandbox.fault({ channel: 'email', recipient: email, action: { kind: 'smtp', code } });
    const event = { event_type: 'payment_success', context: { property_title: 'Bole', amount: 12_500 } };
    const id = await fleet().send({ user_id: user, ...event, channels: ['email'], priority: 'high' });
    await fleet().untilStatus(id, 'FAILED');
    const [letter] = await list('--user', user);
    return letter ?? assert.fail(`${user} is not among the dead`);
  }

  async function isSent({ notification_id, user_id }: Json): Promise<void> {
    await fleet().untilStatus(String(notification_id), 'SENT');
    await fleet().sandbox.expectEmail(`${user_id}@example.org`, /Bole/);
  }

  let full: Json;
  let refused: Json;
  let other: Json;
  before(async () => {
    full = await die('full', 452);
    refused = await die('refused', 550);
    other = await die('other', 550);
  });

  it('dead list gives what the API gives, as JSON and as a table', async () => {
    const { body } = await fleet().call('GET', '/dead-letters');
    assert.deepEqual(await list(), items(body));
    const lines = (await cli().text('dead', 'list')).trim().split('\n');
    assert.equal(lines.length, 4);
    assert.match(lines[0] ?? '', /^DIED +CLASS +CHANNEL +TO +EVENT +WHY +ID$/);
    const row = `rejected \\(final\\) +email +other +payment_success +smtp 550 \\S.* +${other.id}$`;
    assert.match(lines[1] ?? '', new RegExp(row));
    assert.match(lines[3] ?? '', /exhausted +email +full +payment_success +smtp 452 /);
  });

  it('dead list gives what its options choose', async () => {
    for (const [options, names] of [
      ['--class exhausted', ['full']],
      ['--class rejected', ['other', 'refused']],
      ['--class poison', []],
      ['--channel sms', []],
      ['--priority high --limit 1', ['other']],
      ['--provider smtp --event payment_success --user full', ['full']],
      ['--search REFUSED@example.org', ['refused']],
      ['--search 452', ['full']],
      ['--from 1h', ['other', 'refused', 'full']],
      ['--to 1h', []],
    ] as const)
      assert.deepEqual(namesOf(await list(...options.split(' '))), names, options);
    const none = await cli().run('dead', 'list', '--class', 'poison');
    assert.deepEqual([none.code, none.stdout, none.stderr], [0, '', 'There is no such dead letter.\n']);
    const few = await cli().run('dead', 'list', '--limit', '2');
    assert.match(few.stderr, /There are more/);
    const unknown = await cli().run('dead', 'list', '--class', 'unlucky');
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /Allowed choices are rejected, exhausted/);
  });

  it('dead replay sends what is named once it can be sent, and says what it left alone', async () => {
    await fleet().sandbox.clearFaults();
    const ids = [refused.id, NO_ID].map(String);
    assert.equal(
      await cli().text('dead', 'replay', ...ids, '--rate', '5'),
      `1 dead letter is sent again.\nleft alone: ${NO_ID} (not_found)\n`,
    );
    await isSent(refused);
    const again = await cli().json('dead', 'replay', String(refused.id));
    assert.deepEqual(again, {
      replayed: 0,
      skipped: [{ id: refused.id, reason: 'not_dead', state: 'sent' }],
      rate: 50,
      last_due_at: null,
      more: false,
    });
    assert.match(await cli().text('dead', 'replay', String(refused.id)), /\(not_dead: sent\)\n$/);
    assert.equal((await cli().run('dead', 'replay', 'x')).code, 1, 'that is no id');
  });

  it('dead replay sends what its options choose, or all', async () => {
    const none = await cli().json('dead', 'replay', '--class', 'rejected', '--channel', 'sms');
    assert.equal(none.replayed, 0);
    const some = await cli().json('dead', 'replay', '--class', 'rejected', '--from', '1h', '--user', 'other');
    assert.equal(some.replayed, 1);
    await isSent(other);
    assert.deepEqual(namesOf(await list()), ['full']);
    assert.match(await cli().text('dead', 'replay', '--all'), /^1 dead letter is sent again\.\n$/);
    await isSent(full);
    assert.deepEqual(await list(), []);
  });

  it('both go on over pages that are empty', async () => {
    const [one, two] = [await die('old', 550), await die('older', 550)];
    await fleet().sandbox.clearFaults();
    const ledger = openDatabase({ url: fleet().databaseUrl, name: 'test', size: 1 });
    try {
      await ledger.rows(
        "UPDATE delivery SET dead_at = dead_at - interval '1 day' WHERE id = ANY($1::uuid[])",
        [[one.id, two.id]],
      );
      await dieInNumbers(ledger, MORE_THAN_A_PAGE_LOOKS_AT);
    } finally {
      await ledger.close();
    }
    const page = await fleet().call('GET', '/dead-letters?class=rejected');
    assert.equal(page.text, '[]');
    assert.match(page.headers.get('link') ?? '', /rel="next"/);

    assert.deepEqual(namesOf(await list('--class', 'rejected')), ['older', 'old']);
    assert.deepEqual(namesOf(await list('--class', 'rejected', '--limit', '1')), ['older']);
    assert.equal((await list('--class', 'exhausted', '--limit', '250')).length, 250);
    const all = (await cli().text('dead', 'list', '--all')).trim().split('\n');
    assert.equal(all.length, 1 + MORE_THAN_A_PAGE_LOOKS_AT + 2);
    assert.match(all[1] ?? '', / email +n\S*\*\S*@dead\.test /, 'who is nobody here is told by the address');
    assert.match(
      await cli().text('dead', 'replay', '--class', 'rejected', '--rate', '1000'),
      /^2 dead letters are sent again\.\nThe last one is due .*, at 1000 a second\.\n$/,
    );
    for (const letter of [one, two]) await isSent(letter);
  });
});

describe('belfry dead replay of more than one call takes on', () => {
  // The real API would need a hundred thousand of them.
  const server = useAnswering();

  it('says that the same command goes on', async () => {
    const answer = { replayed: 100_000, skipped: [], rate: 50, last_due_at: new Date(), more: true };
    server.answer((_, res) => json(res, answer, 202));
    const env = { BELFRY_URL: server.url, BELFRY_TOKEN: 'x' };
    const { code, stderr } = await runCli(['dead', 'replay', '--all'], { env });
    assert.deepEqual([code, stderr], [0, 'There are more: the same command goes on with them.\n']);
    assert.deepEqual(JSON.parse(server.asked[0]?.body ?? ''), { filter: {} });
  });
});
