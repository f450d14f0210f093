import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import { before, describe, it } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import { cliOf, runCli } from './run-cli.js';

const NO_ID = '01a214f5-b8d7-76e5-87eb-000000000000';
const ME = `cli:${userInfo().username}`;

describe('belfry audit', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [] });
  const cli = () => cliOf(fleet());
  const list = async (...args: readonly string[]) => items(await cli().json('audit', 'list', ...args));
  const acts = async (...args: readonly string[]) =>
    (await list(...args)).map(({ actor, action }) => `${actor} ${action}`);

  before(async () => {
    await cli().text('users', 'put', 'sara', '--locale', 'am', '--prefer', 'sms=on');
    await fleet().call('PUT', '/users/abebe', {}, { sub: 'billing' });
    const { stdout } = await runCli(['users', 'import', '-'], { env: cli().env, input: '{"id":"meron"}\n' });
    assert.match(stdout, /^1 imported/);
    await cli().text('dead', 'replay', NO_ID);
    await cli().text('users', 'erase', 'meron', '--yes');
  });

  it('shows who did what, the newest first, as JSON and as a table', async () => {
    const { body } = await fleet().call('GET', '/audit');
    assert.deepEqual(await list(), items(body));
    assert.deepEqual(await acts(), [
      `${ME} person.erase`,
      `${ME} dead_letter.replay`,
      `${ME} person.import`,
      'billing person.put',
      `${ME} preferences.put`,
      `${ME} person.put`,
    ]);
    const lines = (await cli().text('audit', 'list')).trim().split('\n');
    assert.equal(lines.length, 7);
    assert.match(lines[0] ?? '', /^AT +WHO +ROLE +ACTION +TARGET +DETAILS$/);
    const row = new RegExp(`^\\S+ +${ME} +admin +dead_letter\\.replay +delivery:${NO_ID} +\\{.*"replayed":0`);
    assert.match(lines[2] ?? '', row);
  });

  it('gives what its options choose', async () => {
    assert.deepEqual(await acts('--actor', 'billing'), ['billing person.put']);
    assert.deepEqual(await acts('--action', 'person.put', '--limit', '1'), ['billing person.put']);
    assert.deepEqual(await acts('--target', `delivery:${NO_ID}`), [`${ME} dead_letter.replay`]);
    assert.deepEqual(await acts('--user', 'sara'), [`${ME} preferences.put`, `${ME} person.put`]);
    assert.deepEqual(await acts('--user', 'meron'), [], 'nobody can be found by an id that was erased');
    assert.equal((await acts('--from', '1h')).length, 6);
    const none = await cli().run('audit', 'list', '--to', '1h');
    assert.deepEqual([none.code, none.stderr], [0, 'There is no such act.\n']);
    const unknown = await cli().run('audit', 'list', '--action', 'person.praise');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /action: must be one of person\.put, /);
  });

  it('goes on over all pages', async () => {
    for (let n = 0; n < 260; n += 1) await fleet().person(`many-${n}`);
    const all = await list('--all');
    assert.equal(all.length, 266);
    assert.equal(new Set(all.map(({ id }) => String(id))).size, 266);
    const some = await cli().run('audit', 'list', '--limit', '201');
    assert.equal(some.stdout.trim().split('\n').length, 1 + 201);
    assert.match(some.stderr, /There are more/);
  });
});
