import assert from 'node:assert/strict';
import type { Fleet } from '../support/fleet.js';
import { ask } from '../support/http.js';
import { waitFor } from '../support/wait.js';

/** What alert sources do to a fleet, each with its own token. */
export function inboundCalls(fleet: () => Fleet) {
  /** By the name of the source. */
  const tokens = new Map<string, string>();
  const bearer = (name: string) => `Bearer ${tokens.get(name)}`;
  const post = (name: string, body: unknown, { api = 0, authorization = bearer(name) } = {}) =>
    ask('POST', `${fleet().apis[api]?.url}/api/v1/inbound/${name}`, body, { authorization });
  /** What came of a payload, as far as it is not nothing. */
  async function taken(name: string, body: unknown, api = 0): Promise<Record<string, unknown>> {
    const { status, text, body: answer } = await post(name, body, { api });
    assert.equal(status, 200, text);
    const { errors: _, ...counts } = answer;
    return Object.fromEntries(Object.entries(counts).filter(([, count]) => Number(count) > 0));
  }
  return {
    tokens,
    bearer,
    post,
    taken,
    /** What a source has raised, the first of it first. */
    async alertsOf(name: string) {
      const { rows } = await fleet().database.query(
        `SELECT id, type, level, status, count, resolved_by, resolved_via, dedup_key FROM alert
         WHERE caller = $1 ORDER BY opened_at`,
        [`source:${name}`],
      );
      return rows;
    },
    /** Sends what opens something; how long it takes until its text is in the inbox of `boss`, in milliseconds. */
    async told(name: string, body: unknown, text: string): Promise<number> {
      const began = performance.now();
      const { received, opened } = await taken(name, body);
      assert.equal(opened, received);
      const inbox = async () => (await fleet().call('GET', '/users/boss/inbox')).text;
      await waitFor(async () => (await inbox()).includes(text), { timeoutMs: 20_000 });
      const tookMs = Math.round(performance.now() - began);
      return tookMs;
    },
  };
}
