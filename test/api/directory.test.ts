import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  type DirectoryServer,
  drop,
  hang,
  saying,
  startDirectory,
  status,
} from '../support/directory-server.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { type Answer, items } from '../support/http.js';
import { waitFor } from '../support/wait.js';
import { auditOf } from './audit-rows.js';
import { rowsIn } from './ledger-rows.js';
import { assertProblem } from './problem.js';

describe('people of a user directory', () => {
  let directory: DirectoryServer;
  let fleet: Fleet;
  before(async () => {
    directory = await startDirectory();
    fleet = await startFleet({
      engine: 'postgres',
      workers: [],
      env: {
        USER_DIRECTORY_URL: directory.url,
        USER_DIRECTORY_TOKEN: 'canary-token-991',
        USER_DIRECTORY_TIMEOUT_MS: '3000',
        LOG_LEVEL: 'trace',
      },
    });
  });
  after(async () => {
    await fleet?.stop();
    await directory?.stop();
  });
  const send = (user_id: string, more: object = {}): Promise<Answer> =>
    fleet.call('POST', '/notifications/send', { user_id, message: 'x', priority: 'high', ...more });
  const askedFor = (id: string) => directory.asked.filter(({ path }) => path.endsWith(`/${id}`)).length;
  const mask = async (answer: Answer) => {
    const { body } = await fleet.call('GET', `/notifications/${answer.body.notification_id}`);
    return String(items(body.deliveries).find(({ channel }) => String(channel) === 'email')?.to);
  };
  const grow = (id: string) =>
    fleet.database.query(
      `UPDATE person SET directory_at = directory_at - interval '10 minutes' WHERE id = $1`,
      [id],
    );

  test('are asked for once, kept, and asked for again when they are old', async () => {
    directory.tell('dana', { email: 'dana@one.example', locale: 'am', roles: ['tenant'] });
    const first = await Promise.all(Array.from({ length: 20 }, () => send('dana')));
    for (const { status, text } of first) assert.equal(status, 202, text);
    assert.equal(askedFor('dana'), 1, 'twenty sends made one request');
    const stored = (await fleet.call('GET', '/users/dana')).body;
    assert.deepEqual([stored.email, stored.locale, stored.roles], ['dana@one.example', 'am', ['tenant']]);
    directory.tell('dana', { email: 'dana@two.example' });
    assert.equal(await mask(await send('dana')), 'd***a@one.example', 'what is fresh is not asked for');
    await fleet.call('PUT', '/users/dana/preferences', { sms: true });
    await grow('dana');
    assert.equal(await mask(await send('dana')), 'd***a@two.example');
    assert.equal(askedFor('dana'), 2);
    assert.equal((await fleet.call('GET', '/users/dana/preferences')).body.sms, true, 'wishes are ours');
    assert.equal((await fleet.call('GET', '/users/dana')).body.locale, 'en', 'the directory is the truth');
  });

  test('have devices before they were ever written to, and who is nobody there has none', async () => {
    directory.tell('newcomer', { email: 'newcomer@one.example' });
    const device = { platform: 'ios', token: 'a-token-of-newcomer' };
    const post = (id: string) => fleet.call('POST', `/users/${id}/devices`, device, { as: 'user', sub: id });
    assert.equal((await post('newcomer')).status, 201);
    assertProblem(await post('no-newcomer'), 404, { code: 'unknown_person' });
    assert.equal(items((await fleet.call('GET', '/users/newcomer/devices')).body).length, 1);
  });

  test('have an inbox and wishes before they were ever written to', async () => {
    const calls = [
      ['GET', 'inbox', undefined, []],
      ['GET', 'inbox/unread-count', undefined, { count: 0 }],
      ['POST', 'inbox/read-all', undefined, { read: 0 }],
      ['GET', 'devices', undefined, []],
      ['GET', 'preferences', undefined, null],
      ['PUT', 'preferences', { sms: true }, null],
    ] as const;
    for (const [index, [method, path, given, found]] of calls.entries()) {
      const as = (sub: string) => fleet.call(method, `/users/${sub}/${path}`, given, { as: 'user', sub });
      directory.tell(`reader${index}`, { email: 'reader@one.example' });
      const { status, body } = await as(`reader${index}`);
      assert.equal(status, 200, path);
      if (found !== null) assert.deepEqual(body, found);
      assertProblem(await as(`no-reader${index}`), 404, { code: 'unknown_person' });
    }
  });

  test('who was written here is not asked for', async () => {
    directory.tell('ours', { email: 'theirs@two.example' });
    await fleet.person('ours', { email: 'ours@one.example' });
    assert.equal(await mask(await send('ours')), 'o***s@one.example');
    assert.equal(askedFor('ours'), 0);
    directory.tell('taken', { email: 'taken@one.example' });
    await send('taken');
    await fleet.call('PUT', '/users/taken', { email: 'taken@two.example' });
    await grow('taken');
    assert.equal(await mask(await send('taken')), 't***n@two.example', 'PUT takes a person over');
    assert.equal(askedFor('taken'), 1);
  });

  test('whom it does not know is unknown, and is not asked for at once again', async () => {
    for (const code of [404, 410]) {
      directory.tell(`nobody${code}`, status(code));
      for (let n = 0; n < 3; n += 1)
        assertProblem(await send(`nobody${code}`), 404, {
          detail: `User with ID nobody${code} not found.`,
          code: 'unknown_person',
        });
      assert.equal(askedFor(`nobody${code}`), 1);
    }
    await fleet.person('nobody404', { email: 'new@one.example' });
    assert.equal((await send('nobody404')).status, 202, 'who is added here is known at once');
  });

  test('whom it knows no more is unknown and switched off, not erased', async () => {
    directory.tell('gone', { email: 'gone@one.example' });
    const waiting = await send('gone', { send_at: Date.now() / 1_000 + 3_600 });
    assert.equal(waiting.status, 202);
    directory.tell('gone', null);
    await grow('gone');
    assertProblem(await send('gone'), 404);
    const kept = (await fleet.call('GET', '/users/gone')).body;
    assert.deepEqual([kept.active, kept.email], [false, 'gone@one.example']);
    assertProblem(await send('gone'), 404);
  });

  test('an outage is no 404: without a copy 503 and nothing recorded, with one the copy', async () => {
    directory.tell('copied', { email: 'copied@one.example' });
    assert.equal((await send('copied')).status, 202);
    const before = await rowsIn(fleet);
    const outages = { hang, drop, garbage: saying('<html>'), field: saying('{"email":"x"}'), ...STATUSES };
    for (const [name, script] of Object.entries(outages)) {
      directory.tell(`lost-${name}`, script);
      const answer = await send(`lost-${name}`);
      assertProblem(answer, 503, { code: 'directory_unavailable' });
    }
    assert.deepEqual(await rowsIn(fleet), before, 'no failed notification is recorded');
    directory.tell('copied', status(500));
    await grow('copied');
    assert.equal(await mask(await send('copied')), 'c****d@one.example');
  });

  test('one of a batch that cannot be asked for harms no other, and a thousand strangers are bounded', async () => {
    await waitFor(async () => (await send('dana')).status === 202);
    await fleet.person('here');
    directory.tell('unsure', saying('{'));
    const notifications = ['here', 'unsure', 'nobody-else'].map((user_id) => ({ user_id, message: 'x' }));
    const { body } = await waitFor(async () => {
      const answer = await fleet.call('POST', '/notifications/batch', { notifications });
      // The directory may still be resting from the outages above.
      return Number(items(answer.body.results)[2]?.status) === 404 ? answer : undefined;
    });
    assert.deepEqual(
      items(body.results).map(({ status }) => Number(status)),
      [202, 503, 404],
    );
    directory.others({ email: 'stranger@one.example' });
    const strangers = Array.from({ length: 1_000 }, (_, n) => `stranger-${n}`);
    const odd: string[] = [];
    /** Those who are refused for now: each alone or, when the database itself is too busy, all of them. */
    const refused = async (ids: readonly string[]) => {
      const notifications = ids.map((user_id) => ({ user_id, message: 'x' }));
      const answer = await fleet.call('POST', '/notifications/batch', { notifications });
      if (answer.status === 503) return ids;
      const statuses = items(answer.body.results).map(({ status }) => Number(status));
      const sound = statuses.length === ids.length && statuses.every((one) => one === 202 || one === 503);
      if (!sound) odd.push(`${answer.status} ${answer.text.slice(0, 400)}`);
      return ids.filter((_, index) => statuses[index] !== 202);
    };
    // On a busy machine some wait too long for their turn. They are told to come again, and nobody is taken for unknown.
    let left: readonly string[] = strangers;
    await waitFor(
      async () => {
        left = await refused(left);
        return left.length === 0;
      },
      { timeoutMs: 60_000, what: 'every stranger to be found' },
    );
    assert.ok(directory.atOnce() <= 32);
    assert.equal(strangers.filter((id) => askedFor(id) === 0).length, 0);
    directory.others(hang);
    const lost = strangers.map((id) => `lost-${id}`);
    await waitFor(
      async () => {
        assert.deepEqual(await refused(lost), lost);
        return fleet.logs().some((line) => line.includes('"why":"resting"'));
      },
      { timeoutMs: 60_000, what: 'the directory to be left alone' },
    );
    assert.deepEqual(odd, []);
  });

  test('who is erased comes back with the next send, as long as the directory has them', async () => {
    directory.others(status(404));
    await waitFor(
      async () => {
        await grow('dana');
        await send('dana');
        return askedFor('dana') > 3;
      },
      { timeoutMs: 30_000, what: 'the directory to be asked again' },
    );
    assert.equal((await fleet.call('DELETE', '/users/dana')).status, 204);
    const back = await waitFor(async () => ((await send('dana')).status === 202 ? true : undefined));
    assert.ok(back);
    assert.equal((await fleet.call('GET', '/users/dana/preferences')).body.sms, false, 'as a stranger');
    directory.tell('dana', null);
    assert.equal((await fleet.call('DELETE', '/users/dana')).status, 204);
    assertProblem(await send('dana'), 404);
  });

  test('neither the token, nor an address, nor an id is in the log, but why it failed is', async () => {
    const logs = fleet.logs();
    const leaks = logs.filter((line) => /canary-token|@one\.example|dana|stranger/.test(line));
    assert.deepEqual(leaks, []);
    for (const why of ['timeout', 'status-500', 'no-json', 'field-email', 'resting'])
      assert.ok(
        logs.some((line) => line.includes('directory_failed') && line.includes(`"why":"${why}"`)),
        why,
      );
    assert.deepEqual(
      logs.filter((line) => /"level":"(error|fatal)"/.test(line)),
      [],
    );
    assert.equal((await auditOf(fleet, 'person.put')).length, 4, 'reading is no administrative act');
  });
});

const STATUSES = { redirect: status(302, { location: '/' }), refused: status(401), failing: status(500) };
