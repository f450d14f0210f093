import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { listAudit, recordAudit } from '@belfry/shared/ledger/audit.js';
import { type Database, openDatabase } from '@belfry/shared/ledger/database.js';
import { migrateLedger } from '@belfry/shared/ledger/migrate.js';
import { freshDatabase, type TestDatabase } from '../support/postgres.js';
import { withLedger } from './with-ledger.js';

const OPS = { sub: 'ops', role: 'admin' };
const ACT = { actor: OPS, action: 'person.erase', target: 'person:1' } as const;

describe('the audit trail', () => {
  const ledger = withLedger();

  it('has an act exactly when the act has happened', async () => {
    const undone = ledger.one.transaction(async (transaction) => {
      await recordAudit(transaction, { ...ACT, target: 'person:undone' });
      throw new Error('the act failed');
    });
    await assert.rejects(undone, /the act failed/);
    await ledger.one.transaction((transaction) => recordAudit(transaction, ACT));
    const [event, ...others] = await listAudit(ledger.two, {}, { limit: 10 });
    assert.deepEqual(others, []);
    assert.equal(event?.target, 'person:1');
    assert.equal(event?.actor, 'ops');
    assert.ok(event.at.getTime() > Date.now() - 60_000);
  });

  it('cannot be changed, emptied or shortened, not even by a superuser', async () => {
    await assertFinal(ledger.one);
  });

  it('is read by who, what, whom and when, a page at a time', async () => {
    for (const sub of ['ann', 'bob', 'ann'])
      await recordAudit(ledger.one, { ...ACT, actor: { sub, role: 'admin' }, action: 'person.put' });
    const anns = await listAudit(ledger.one, { actor: 'ann' }, { limit: 10 });
    assert.equal(anns.length, 2);
    const newest = await listAudit(ledger.one, { action: 'person.put', target: 'person:1' }, { limit: 2 });
    assert.deepEqual(
      newest.map(({ actor }) => actor),
      ['ann', 'bob'],
    );
    const next = await listAudit(ledger.one, { action: 'person.put' }, { limit: 2, beforeId: newest[1]?.id });
    assert.deepEqual(
      next.map(({ actor }) => actor),
      ['ann'],
    );
    const later = await listAudit(ledger.one, { from: new Date(Date.now() + 60_000) }, { limit: 10 });
    assert.deepEqual(later, []);
  });
});

describe('the audit trail of a fleet whose database user is no superuser', () => {
  let server: TestDatabase;
  let plain: Database;

  before(async () => {
    server = await freshDatabase();
    const role = `r_${randomBytes(4).toString('hex')}`;
    const superuser = openDatabase({ url: server.url, name: 'test', size: 1 });
    await superuser.rows(`CREATE ROLE ${role} LOGIN PASSWORD 'plain'`);
    const url = new URL(server.url);
    await superuser.rows(`ALTER DATABASE ${url.pathname.slice(1)} OWNER TO ${role}`);
    await superuser.rows(`ALTER SCHEMA public OWNER TO ${role}`);
    await superuser.close();
    url.username = role;
    url.password = 'plain';
    await migrateLedger(url.href);
    plain = openDatabase({ url: url.href, name: 'test', size: 1 });
  });

  after(async () => {
    await plain?.close();
    await server?.drop();
  });

  it('is kept by its rights: adding and reading are granted, nothing else is', async () => {
    await recordAudit(plain, ACT);
    assert.equal((await listAudit(plain, {}, { limit: 10 })).length, 1);
    const [rights] = await plain.rows<{ granted: string[] }>(
      `SELECT array_agg(privilege_type::text ORDER BY privilege_type::text) AS granted
       FROM information_schema.table_privileges WHERE table_name = 'audit_event' AND privilege_type IN
         ('INSERT', 'SELECT', 'UPDATE', 'DELETE', 'TRUNCATE')`,
    );
    assert.deepEqual(rights?.granted, ['INSERT', 'SELECT']);
    await assertFinal(plain);
  });
});

/** Every way to take something back is refused for lack of rights (SQLSTATE 42501), and the trail is as it was. */
async function assertFinal(database: Database): Promise<void> {
  const before = await listAudit(database, {}, { limit: 100 });
  assert.ok(before.length > 0);
  for (const statement of [
    `UPDATE audit_event SET actor = 'nobody'`,
    'DELETE FROM audit_event',
    'TRUNCATE audit_event',
  ])
    await assert.rejects(database.rows(statement), { code: '42501' }, statement);
  assert.deepEqual(await listAudit(database, {}, { limit: 100 }), before);
}
