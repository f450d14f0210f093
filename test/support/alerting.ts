import assert from 'node:assert/strict';
import type { Fleet } from './fleet.js';
import type { Json } from './http.js';

/** Raises an alert, which has to be accepted, and gives it as the API shows it. */
export async function raiseAlert(
  fleet: Fleet,
  path: string,
  body: Readonly<Record<string, unknown>> = { message: 'The disk of db-1 is full.' },
): Promise<{ readonly id: string; readonly code: string }> {
  const options = { as: 'internal', sub: 'monitor' } as const;
  const answer = await fleet.call('POST', `/notifications/alerts/${path}`, body, options);
  assert.equal(answer.status, 202, answer.text);
  const id = String(answer.body.alert_id);
  const { code } = await alertOf(fleet, id);
  return { id, code: String(code) };
}

/** An alert as it is now. */
export async function alertOf(fleet: Fleet, id: string): Promise<Json> {
  const answer = await fleet.call('GET', `/alerts/${id}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

/** The link in a text of a mail or a text message, which has to have exactly one. */
export function linkIn(text: string): string {
  const [link, ...others] = [...new Set(text.match(/https?:\/\/[^\s"<]+\/a\/[\w-]+/g))];
  assert.ok(link !== undefined && others.length === 0, `one link, and not: ${text}`);
  return link;
}
