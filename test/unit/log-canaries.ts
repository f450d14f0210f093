import { openDatabase } from '@belfry/shared/ledger/database.js';
import { findPerson, putPerson } from '@belfry/shared/ledger/people.js';
import { createEvents } from '@belfry/shared/service/events.js';
import { createLog } from '@belfry/shared/service/log.js';

/* Logs everything that must not be seen, in every place where it could turn up. Run by log.test.ts. */

const [address = '', token = '', text = ''] = process.argv.slice(2);
const log = createLog('canaries', 'trace');
const events = createEvents(log);

const person = { email: address, phone: address, to: address, address };
const words = {
  message: text,
  subject: text,
  body: text,
  html: text,
  text,
  context: { property_title: text },
};
const secrets = { authorization: `Bearer ${token}`, cookie: token, password: token, token, secret: token };
log.info({ ...person, ...words, ...secrets }, 'at the top');
log.info({ request: { ...person, ...words, ...secrets } }, 'one level down');
log.info({ request: { headers: { ...secrets }, body: words, person } }, 'two levels down');
log.info({ deliveries: [{ ...person }], items: [words] }, 'in lists');
log.info({ a: { b: { c: { d: [{ ...person }, { e: words }] } } } }, 'far down');
log.child({ ...secrets, to: address }).info('in what every line of a part of the program says');
const at = new Date('2026-03-01T10:00:00.000Z');
log.info({ request: { at, tries: [1, null, { ok: true, to: address }] } }, 'nothing to hide');
const circle: Record<string, unknown> = { ...person };
circle.again = circle;
log.info({ circle }, 'in a circle');
log.warn({ failures: [Object.assign(new Error('x'), { detail: text, config: secrets })] }, 'beside an error');

const kind = { priority: 'normal', kind: 'event', scheduled: false } as const;
events.accepted({ notificationId: 'n-2', caller: address, deliveries: 1, ...kind });
events.accepted({ notificationId: 'n-3', caller: 'billing', deliveries: 0, ...kind });

log.warn({ err: new Error(`connect to smtp://me:${token}@mail.example failed`) }, 'a URL');
log.warn({ err: new Error(`connect to smtp://me:p@${token}@mail.example failed`) }, 'a URL with an @ in it');
const detailed = Object.assign(new Error('duplicate key'), {
  detail: `Key (email)=(${address})`,
  where: text,
});
log.warn({ err: new Error('outer', { cause: detailed }) }, 'what PostgreSQL says beside the message');
log.warn({ err: new Error(`first line\nredis://:${token}@cache.example`) }, 'a message of two lines');
log.warn({ err: { message: text } }, 'something thrown that is no error');

// Nothing listens on port 1, so both fail, the query with its parameters in the error.
const database = openDatabase({ url: `postgres://me:${token}@127.0.0.1:1/x`, name: 'canary', size: 1 });
await findPerson(database, address).catch((error: unknown) => log.error({ err: error }, 'a query failed'));
const change = { email: address, phone: address };
await putPerson(database, 'sara', change, { sub: address, role: 'admin' }).catch((error: unknown) => {
  log.error({ err: error }, 'request failed');
  events.connectionFailed({ part: 'database', error });
});
await database.close();
log.info({ count: 7, notification_id: 'n-1' }, 'the end\nwith a line break');
