import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { type Answer, items } from '../support/http.js';
import { readiness } from '../support/ready.js';
import { waitFor } from '../support/wait.js';
import { auditOf } from './audit-rows.js';
import { assertProblem } from './problem.js';

const STEP = { after_ms: 60_000, notify: { on_call: true } };
const STEPS = [
  { name: 'again', after_ms: 0, notify: { users: ['ada'], groups: ['crew'], on_call: true, admins: false } },
  { after_ms: 604_800_000, notify: { admins: true }, channels: ['sms', 'email'] },
];

describe('escalation policies', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [], env: { ESCALATION_STEP_MS: '1234' } });
  const call = (method: string, name: string, body?: unknown) =>
    fleet().call(method, `/escalation-policies/${name}`, body);
  before(() => fleet().person('ada', { groups: ['crew'] }));

  test('one is written, shown as it was written, replaced and removed, and each of it is in the audit trail', async () => {
    const made = await call('PUT', 'disk_full', { steps: STEPS, repeat: 3 });
    assert.equal(made.status, 201, made.text);
    const { created_at, updated_at, ...rest } = made.body;
    assert.deepEqual(rest, { name: 'disk_full', steps: STEPS, repeat: 3, built_in: false });
    assert.equal(created_at, updated_at);
    assert.deepEqual((await call('GET', 'disk_full')).body, made.body);
    const again = await call('PUT', 'disk_full', { steps: [STEP] });
    assert.equal(again.status, 200, again.text);
    assert.deepEqual([again.body.steps, again.body.repeat, again.body.created_at], [[STEP], 0, created_at]);
    assert.equal((await call('DELETE', 'disk_full')).status, 204);
    const gone = { detail: 'Escalation policy disk_full not found.', code: 'unknown_escalation_policy' };
    for (const method of ['GET', 'DELETE']) assertProblem(await call(method, 'disk_full'), 404, gone);
    const target = 'escalation_policy:disk_full';
    assert.deepEqual(
      (await auditOf(fleet(), 'escalation_policy.put')).map((one) => [one.target, one.details]),
      [
        [target, { created: false, steps: 1, repeat: 0 }],
        [target, { created: true, steps: 2, repeat: 3 }],
      ],
    );
    assert.deepEqual(
      (await auditOf(fleet(), 'escalation_policy.remove')).map((one) => one.target),
      [target],
    );
  });

  test('the default is built in until somebody writes it, and again when that is removed', async () => {
    const built = await call('GET', 'default');
    assert.equal(built.status, 200, built.text);
    assert.deepEqual([built.body.built_in, built.body.created_at], [true, null]);
    assert.deepEqual(
      items(built.body.steps).map(({ after_ms }) => after_ms),
      [1_234, 1_234, 1_234],
    );
    assertProblem(await call('DELETE', 'default'), 404);
    assert.equal((await call('PUT', 'default', { steps: [STEP] })).status, 201);
    assert.equal((await call('GET', 'default')).body.built_in, false);
    assert.equal((await call('DELETE', 'default')).status, 204);
    assert.deepEqual((await call('GET', 'default')).body, built.body);
  });

  test('the list has those that were written, by their names, page by page', async () => {
    for (const name of ['b:2', 'a.1', 'c']) await call('PUT', name, { steps: [STEP] });
    const names = (answer: Answer) => items(answer.body).map(({ name }) => String(name));
    const first = await fleet().call('GET', '/escalation-policies?limit=2');
    const next = /^<\/api\/v1([^>]+)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1];
    const last = await fleet().call('GET', String(next));
    assert.deepEqual([names(first), names(last), last.headers.get('link')], [['a.1', 'b:2'], ['c'], null]);
  });

  const WRONG: readonly [what: string, path: string, body: unknown][] = [
    ['no steps', 'steps', {}],
    ['an empty list of steps', 'steps', { steps: [] }],
    ['21 steps', 'steps', { steps: Array(21).fill(STEP) }],
    ['a step that names nobody', 'steps.1.notify', { steps: [STEP, { after_ms: 1, notify: {} }] }],
    [
      'a step that names nobody with many words',
      'steps.0.notify',
      { steps: [{ ...STEP, notify: { users: [], groups: [], on_call: false, admins: false } }] },
    ],
    ['a misspelt target', 'steps.0.notify.oncall', { steps: [{ ...STEP, notify: { oncall: true } }] }],
    ['a misspelt field', 'steps.0.after', { steps: [{ ...STEP, after: 7 }] }],
    ['a misspelt repeat', 'repeats', { steps: [STEP], repeats: 7 }],
    ['no time', 'steps.0.after_ms', { steps: [{ notify: { admins: true } }] }],
    ['a time before', 'steps.0.after_ms', { steps: [{ ...STEP, after_ms: -1 }] }],
    ['more than seven days', 'steps.0.after_ms', { steps: [{ ...STEP, after_ms: 604_800_001 }] }],
    ['half a millisecond', 'steps.0.after_ms', { steps: [{ ...STEP, after_ms: 1.5 }] }],
    ['no such channel', 'steps.0.channels.0', { steps: [{ ...STEP, channels: ['fax'] }] }],
    ['no channels', 'steps.0.channels', { steps: [{ ...STEP, channels: [] }] }],
    ['a name of two lines', 'steps.0.name', { steps: [{ ...STEP, name: 'a\nb' }] }],
    ['21 repetitions', 'repeat', { steps: [STEP], repeat: 21 }],
    ['repetitions without any time', 'repeat', { steps: [{ ...STEP, after_ms: 0 }], repeat: 1 }],
    [
      'somebody unknown',
      'steps.0.notify.users.1',
      { steps: [{ ...STEP, notify: { users: ['ada', 'eve'] } }] },
    ],
    [
      'an unknown group',
      'steps.1.notify.groups.0',
      { steps: [STEP, { ...STEP, notify: { groups: ['nobodys'] } }] },
    ],
  ];
  for (const [what, path, body] of WRONG)
    test(`${what} is refused, by its place, and nothing is written`, async () => {
      assertProblem(await call('PUT', 'wrong', body), 422, { path });
      assertProblem(await call('GET', 'wrong'), 404);
    });

  test('a name is as long as an id may be, and of what an id is made of', async () => {
    assert.equal((await call('PUT', 'x'.repeat(128), { steps: [STEP] })).status, 201);
    for (const name of ['x'.repeat(129), 'a%20b'])
      assertProblem(await call('PUT', name, { steps: [STEP] }), 422, { path: 'name' });
  });

  test('while an open alert has nobody to tell, the API is degraded, and says why', async () => {
    const { database } = fleet();
    const id = '01890000-0000-7000-8000-00000000000a';
    await database.query(
      `INSERT INTO alert (id, type, level, severity, message, caller, untold)
       VALUES ($1, 'disk_full', 'critical', 'critical', 'Full', 'test', true)`,
      [id],
    );
    const degraded = await waitFor(async () => {
      const answer = await readiness(fleet());
      return (answer.untold ?? 0) > 0 ? answer : undefined;
    });
    assert.deepEqual(
      [degraded.status, degraded.failing, degraded.untold],
      ['degraded', ['workers', 'alerts'], 1],
    );
    await database.query("UPDATE alert SET status = 'acknowledged' WHERE id = $1", [id]);
    await waitFor(async () => String((await readiness(fleet())).failing) === 'workers');
  });
});
