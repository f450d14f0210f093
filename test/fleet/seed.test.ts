import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withFleet } from '../support/fleet.js';

test('the demo people are added once, and left as somebody changed them', async () => {
  await withFleet({ engine: 'postgres', workers: [] }, async ({ command, person, call }) => {
    const first = await command('seed');
    assert.deepEqual([first.code, first.stdout], [0, ['added abebe', 'added chaltu', 'added sara']]);
    await person('abebe', { email: 'abebe@elsewhere.example', groups: [], preferences: { sms: false } });
    const changed = await call('GET', '/users/abebe');
    const again = await command('seed');
    assert.deepEqual([again.code, again.stdout], [0, ['known abebe', 'known chaltu', 'known sara']]);
    assert.equal((await call('GET', '/users/abebe')).text, changed.text);
  });
});
