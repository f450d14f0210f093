import assert from 'node:assert/strict';
import type { Fleet } from '../support/fleet.js';

/** Raises an alert of a type, critical by default; it has to be opened. Returns its id. */
export async function raiseAlert(
  { call }: Fleet,
  type: string,
  more: Readonly<Record<string, unknown>> = {},
  level = 'critical',
): Promise<string> {
  const body = { message: `Something is wrong with ${type}`, ...more };
  const answer = await call('POST', `/notifications/alerts/${level}/${type}`, body);
  assert.equal(answer.status, 202, answer.text);
  return String(answer.body.alert_id);
}

/** Writes the escalation policy that alerts of a type follow. */
export async function writePolicy({ call }: Fleet, name: string, policy: unknown): Promise<void> {
  const put = await call('PUT', `/escalation-policies/${name}`, policy);
  assert.ok(put.status < 300, put.text);
}

/** The steps that were taken of an alert, the first first. */
export async function stepsOf(
  { database }: Fleet,
  id: string,
): Promise<{ step: number; name: string | null }[]> {
  const { rows } = await database.query<{ step: number; name: string | null }>(
    `SELECT step, details->>'name' AS name FROM alert_event WHERE alert_id = $1 AND kind = 'escalated' ORDER BY id`,
    [id],
  );
  return rows;
}

/** Who was told at which step on which channels, each as `0 boss email,realtime,sms`. */
export async function tellingsOf({ database }: Fleet, id: string): Promise<string[]> {
  const { rows } = await database.query<{ told: string }>(
    `SELECT n.alert_step || ' ' || n.person_id || ' ' || string_agg(d.channel, ',' ORDER BY d.channel) AS told
     FROM notification n JOIN delivery d ON d.notification_id = n.id
     WHERE n.alert_id = $1 AND n.person_id IS NOT NULL AND d.state <> 'skipped' GROUP BY n.alert_step, n.person_id ORDER BY n.alert_step, n.person_id`,
    [id],
  );
  return rows.map(({ told }) => told);
}
