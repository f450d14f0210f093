import assert from 'node:assert/strict';
import type { Fleet } from '../support/fleet.js';
import type { Answer } from '../support/http.js';
import type { LedgerDelivery } from '../support/ledger.js';
import { waitFor } from '../support/wait.js';

/** Calls as any caller does: a 503 says that nothing was accepted, and is tried again. */
function insisting({ call }: Fleet, path: string, body: Readonly<Record<string, unknown>>): Promise<Answer> {
  return waitFor(
    async () => {
      const answer = await call('POST', path, body);
      return answer.status === 503 ? undefined : answer;
    },
    { timeoutMs: 60_000, what: `POST ${path} to be taken`, everyMs: 500 },
  );
}

/** Sends a mail to a bare address; it has to be accepted. Returns its notification's id. */
export async function email(
  fleet: Fleet,
  to: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const mail = { to, subject: 'Hello', body: 'There', ...more };
  const answer = await insisting(fleet, '/notifications/email/send', mail);
  assert.equal(answer.status, 202, answer.text);
  return String(answer.body.email_id);
}

/** Sends a text message to a bare number; it has to be accepted. Returns its notification's id. */
export async function sms(
  fleet: Fleet,
  phone: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const answer = await insisting(fleet, '/notifications/sms/send', { phone, message: 'Hello', ...more });
  assert.equal(answer.status, 202, answer.text);
  return String(answer.body.sms_id);
}

/** Sends a mail to each of `addresses`, 1 000 in a call; all have to be accepted. */
export async function emails(
  { call }: Fleet,
  addresses: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  for (let from = 0; from < addresses.length; from += 1_000) {
    const batch = addresses
      .slice(from, from + 1_000)
      .map((to) => ({ to, subject: 'Hello', body: 'There', ...more }));
    const answer = await call('POST', '/notifications/email/batch', { emails: batch });
    assert.equal(answer.status, 207, answer.text);
    const refused = [...answer.text.matchAll(/"status":(?!202)\d+/g)];
    assert.equal(refused.length, 0, answer.text.slice(0, 2_000));
  }
}

/** `count` addresses of a domain. */
export function addressesAt(domain: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `n${index}@${domain}`);
}

/** The one delivery of a notification. */
export async function only({ deliveries }: Fleet, id: string): Promise<LedgerDelivery> {
  const [delivery, ...others] = await deliveries(id);
  assert.ok(delivery);
  assert.deepEqual(others, []);
  return delivery;
}

/** What came of each attempt, with the provider's code. */
export function outcomes({ tried }: LedgerDelivery): string[] {
  return tried.map(({ outcome, code }) => `${outcome} ${code}`);
}
