import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { items } from '../support/http.js';
import { cliOf } from './run-cli.js';

describe('belfry users', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [] });
  const cli = () => cliOf(fleet());

  it('put adds a person, changes what is given, and get shows both with what they wish', async () => {
    const put = await cli().json(
      'users',
      'put',
      'sara',
      '--email',
      'sara@example.com',
      '--locale',
      'om',
      '--group',
      'tenants,staff',
      '--prefer',
      'sms=on,push=off',
    );
    const get = await cli().json('users', 'get', 'sara');
    const { body } = await fleet().call('GET', '/users/sara');
    const wishes = await fleet().call('GET', '/users/sara/preferences');
    assert.deepEqual(get, { ...body, preferences: wishes.body });
    assert.deepEqual(put, get);
    assert.deepEqual([wishes.body.sms, wishes.body.push], [true, false]);
    const changed = await cli().json('users', 'put', 'sara', '--email', '', '--no-active');
    assert.deepEqual([changed.email, changed.active, changed.locale], [null, false, 'om']);
    assert.match(
      await cli().text('users', 'get', 'sara'),
      /^preferences +realtime on, email on, sms on, push off/m,
    );
    const said = {
      events: { payment_success: { email: false } },
      quiet_hours: { from: '22:00', to: '07:00' },
    };
    await fleet().call('PUT', '/users/sara/preferences', said);
    const shown = await cli().text('users', 'get', 'sara');
    assert.match(shown, /^- payment_success +email off$/m);
    assert.match(shown, /^quiet hours +22:00 to 07:00$/m);
  });

  it('put of a wish alone adds nobody', async () => {
    const { code, stderr } = await cli().run('users', 'put', 'nobody', '--prefer', 'sms=on');
    assert.equal(code, 1);
    assert.match(stderr, /User with ID nobody not found/);
    assert.equal((await fleet().call('GET', '/users/nobody')).status, 404);
  });

  it('put names the field that is wrong', async () => {
    const { code, stderr } = await cli().run('users', 'put', 'sara', '--phone', '0911');
    assert.equal(code, 1);
    assert.match(stderr, /phone: must be a phone number in E\.164 form/);
  });

  it('list gives all of them, page by page', async () => {
    for (const id of ['a', 'b', 'c', 'd']) await fleet().person(id);
    const { body } = await fleet().call('GET', '/users?limit=200');
    assert.deepEqual(items(await cli().json('users', 'list', '--all')), items(body));
    const few = await cli().run('users', 'list', '--limit', '2');
    assert.equal(few.stdout.trim().split('\n').length, 3);
    assert.match(few.stderr, /There are more/);
  });

  it('erase takes a word for it, and the person is gone', async () => {
    await fleet().person('gone');
    assert.equal((await cli().run('users', 'erase', 'gone')).code, 2);
    assert.equal((await fleet().call('GET', '/users/gone')).status, 200);
    assert.deepEqual(await cli().json('users', 'erase', 'gone', '--yes'), { erased: 'gone' });
    assert.equal((await fleet().call('GET', '/users/gone')).status, 404);
    assert.equal((await cli().run('users', 'erase', 'gone', '--yes')).code, 1);
  });
});
