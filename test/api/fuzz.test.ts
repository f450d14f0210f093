import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type Fleet, useFleet } from '../support/fleet.js';
import { type Answer, ask } from '../support/http.js';
import { payload } from '../support/inbound-payload.js';
import { CALLS, PERSON } from './calls.js';
import { addSource } from './inbound-places.js';
import { type Rows, rowsIn } from './ledger-rows.js';
import { type OddRequest, oddRequests } from './odd-requests.js';

/** The same requests in every run; FUZZ_RUNS and FUZZ_SEED in the environment ask for more and for others. */
const numRuns = Number(process.env.FUZZ_RUNS ?? 1_000);
const seed = Number(process.env.FUZZ_SEED ?? 20261122);

/** What sources of their own token send. */
const INBOUND = [
  { method: 'POST', path: '/inbound/fuzzed', body: payload('alertmanager-firing') },
  { method: 'POST', path: '/inbound/fuzzed', body: payload('grafana-resolved') },
  {
    method: 'POST',
    path: '/inbound/scripted',
    body: { alerts: [{ type: 'x', message: 'x', affected_systems: ['a'], details: { n: 1 } }] },
  },
] as const;

describe('whatever is sent', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [], env: { LOG_LEVEL: 'warn' } });
  let authorization: string;
  const tokens = new Map<string, string>();
  before(async () => {
    await fleet().person(PERSON, { email: 'somebody@example.org' });
    await fleet().person('boss', { email: 'boss@example.org', roles: ['admin'] });
    authorization = `Bearer ${await fleet().token('admin')}`;
    for (const [name, kind] of Object.entries({ fuzzed: 'alertmanager', scripted: 'json' }))
      tokens.set(name, await addSource(fleet(), name, { kind }));
  });
  const send = ({ method, path, body, headers }: OddRequest) => {
    const source = tokens.get(/^\/api\/v1\/inbound\/(\w+)/.exec(path)?.[1] ?? '');
    const by = source === undefined ? authorization : `Bearer ${source}`;
    return ask(method, fleet().api.url + path, body, { ...headers, authorization: by });
  };

  test('valid requests are accepted, so that the fuzz begins where the doors are', async () => {
    for (const { method, path, body } of CALLS) {
      const { status, text } = await fleet().call(method, path, body);
      assert.ok([200, 201, 202, 204, 207, 404].includes(status), `${method} ${path}: ${text}`);
    }
  });

  test('no answer is a 5xx, and what is refused has written nothing', async () => {
    const statuses = new Map<number, number>();
    let rows = await rowsIn(fleet());
    await fc.assert(
      fc.asyncProperty(oddRequests(INBOUND), async (request) => {
        const answer = await send(request);
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        const after = await rowsIn(fleet());
        judge(request, answer, rows, after);
        rows = after;
      }),
      { numRuns, seed, endOnFailure: true },
    );
    for (const status of [200, 202, 207, 404, 413, 415, 422])
      if (status !== 413)
        assert.ok(statuses.has(status), `some were answered with ${status}: ${show(statuses)}`);
  });

  test('nor when many come at once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(oddRequests(INBOUND), { minLength: 20, maxLength: 30 }), async (requests) => {
        const answers = await Promise.all(requests.map(send));
        answers.forEach((answer, index) => {
          const request = requests[index];
          assert.ok(answer.status < 500, `${request?.method} ${request?.path}: ${answer.text}`);
        });
      }),
      { numRuns: Math.ceil(numRuns / 50), seed, endOnFailure: true },
    );
  });

  test('nobody was polluted, nothing went wrong inside, and the process is the same', async () => {
    assert.equal((await fleet().page('/health')).status, 200);
    assert.deepEqual(errorsIn(fleet()), []);
    const id = await fleet().send({ user_id: await revived(fleet()), message: 'still here' });
    assert.equal((await fleet().call('GET', `/notifications/${id}`)).body.priority, 'normal');
  });
});

/** Fails on a 5xx, on an error that is no problem document, and on a refusal that left a row. */
function judge({ method, path }: OddRequest, answer: Answer, before: Rows, after: Rows): void {
  const what = `${method} ${path}: ${answer.status} ${answer.text}`;
  assert.ok(answer.status >= 200 && answer.status < 500, what);
  if (answer.status < 400) return;
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/, what);
  // the one refusal that is recorded: a notification to somebody nobody knows, with its key if it has one
  const recorded =
    answer.status === 404 && String(answer.body.code) === 'unknown_person' && method === 'POST';
  if (!recorded) assert.deepEqual(after, before, what);
  assert.ok(after.notification - before.notification <= 1, what);
  assert.ok(after.idempotency_key - before.idempotency_key <= 1, what);
  assert.deepEqual([after.person, after.delivery], [before.person, before.delivery], what);
}

function errorsIn(fleet: Fleet): string[] {
  return fleet.logs().filter((line) => /"level":"(error|fatal)"/.test(line));
}

/** The fuzz may have erased the person. */
async function revived(fleet: Fleet): Promise<string> {
  await fleet.person(PERSON, { active: true });
  return PERSON;
}

function show(statuses: ReadonlyMap<number, number>): string {
  return [...statuses].map(([status, count]) => `${status}: ${count}`).join(', ');
}
