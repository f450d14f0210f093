import assert from 'node:assert/strict';
import type { Fleet } from '../support/fleet.js';

const SOURCE = 'prometheus';
const HEARTBEAT = 'nightly-backup';

/** The path of a source or a heartbeat that is there, for what is sent to it; null for any other path. */
export async function inboundPlace(fleet: Fleet, path: string, body: unknown): Promise<string | null> {
  const [, topic] = /\/(alert-sources|inbound|heartbeats)\/\{name\}/.exec(path) ?? [];
  if (topic === undefined) return null;
  const alerts = typeof body === 'object' && body !== null && 'alerts' in body;
  await put(fleet, `/alert-sources/${SOURCE}`, { kind: alerts ? 'alertmanager' : 'json' });
  if (topic !== 'heartbeats') return path.replace('{name}', SOURCE);
  await put(fleet, `/heartbeats/${HEARTBEAT}`, { after_ms: 3_600_000 });
  return path.replace('{name}', HEARTBEAT);
}

/** What the source of such a path sends with its calls, from now on. */
export async function sourceHeader(fleet: Fleet): Promise<{ authorization: string }> {
  return { authorization: `Bearer ${await tokenFor(fleet, SOURCE)}` };
}

/** A new token of a source that is there. */
async function tokenFor(fleet: Fleet, name: string): Promise<string> {
  const { status, text, body } = await fleet.call('POST', `/alert-sources/${name}/token`);
  assert.equal(status, 200, text);
  return String(body.token);
}

/** Adds a source, and gives its token. */
export async function addSource(fleet: Fleet, name: string, body: unknown): Promise<string> {
  const answer = await fleet.call('PUT', `/alert-sources/${name}`, body);
  assert.equal(answer.status, 201, answer.text);
  return String(answer.body.token);
}

async function put(fleet: Fleet, path: string, body: unknown): Promise<void> {
  const { status, text } = await fleet.call('PUT', path, body);
  assert.ok(status < 300, text);
}
