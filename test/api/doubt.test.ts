import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Fleet, useFleet } from '../support/fleet.js';
import { waitFor } from '../support/wait.js';
import { assertProblem } from './problem.js';

const MAIL = { to: 'sara@example.org', subject: 'Doubt', body: 'Did it arrive?' };

describe('when the database is lost during a call', () => {
  const fleet = useFleet({ engine: 'postgres', workers: [] });

  test('whoever sends while the line to the database breaks is told that nobody knows, and may repeat the call with its key', async () => {
    const headers = { 'idempotency-key': 'once' };
    const send = () => fleet().call('POST', '/notifications/email/send', MAIL, { headers });
    const answer = await cut(fleet(), 'delivery', send);
    assertProblem(answer, 503);
    assert.match(
      String(answer.body.detail),
      /not known whether this was accepted\. Repeat .* same Idempotency-Key/,
    );
    const again = await send();
    assert.equal(again.status, 202, again.text);
    assert.equal((await send()).text, again.text);
  });

  test('whoever reads while the line breaks is told of the database, and of nothing else', async () => {
    const answer = await cut(fleet(), 'notification', () => fleet().call('GET', '/notifications'));
    assertProblem(answer, 503);
    assert.equal(answer.body.detail, 'The database cannot be reached.');
  });

  test('whoever sends what the database refuses at this moment is told that nothing was accepted', async () => {
    const { call, database } = fleet();
    // A standby would answer the same.
    await database.query(`ALTER DATABASE ${await nameOf(fleet())} SET default_transaction_read_only = on`);
    await endSessions(fleet());
    const answer = await waitFor(async () => {
      const one = await call('POST', '/notifications/email/send', MAIL);
      return String(one.body.detail).includes('not known') ? null : one;
    });
    await database.query('SET default_transaction_read_only = off');
    assertProblem(answer, 503);
    assert.equal(answer.body.detail, 'The database cannot be reached. Nothing was accepted.');
  });
});

/** Makes a call, and ends its session while its statement waits for a table that is locked. */
async function cut<Answer>({ database }: Fleet, table: string, call: () => Promise<Answer>): Promise<Answer> {
  const locker = await database.connect();
  try {
    await locker.query('BEGIN');
    await locker.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
    const calling = call();
    await waitFor(async () => {
      const { rowCount } = await database.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'belfry-api' AND wait_event_type = 'Lock'`,
      );
      return rowCount;
    });
    return await calling;
  } finally {
    await locker.query('ROLLBACK');
    locker.release();
  }
}

async function endSessions({ database }: Fleet): Promise<void> {
  await database.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'belfry-api'`,
  );
}

async function nameOf({ database }: Fleet): Promise<string> {
  const { rows } = await database.query<{ name: string }>('SELECT quote_ident(current_database()) AS name');
  return rows[0]?.name ?? '';
}
