import type { AlertLimit } from '@belfry/shared/domain/alert-limit.js';
import type { Channel, Priority } from '@belfry/shared/domain/channel.js';
import { newId } from '@belfry/shared/domain/ids.js';
import { passAlerts } from '@belfry/shared/ledger/alert-pass.js';
import { type Claimed, claimDeliveries } from '@belfry/shared/ledger/claim.js';
import { putPerson } from '@belfry/shared/ledger/people.js';
import type { escalatingOn } from './escalating.js';
import { claimed, type Ledger, OPS } from './with-ledger.js';

const ANNA = newId();

/** A storm of alerts, and a worker of theirs: what it claims, lets pass and holds back. */
export function stormingOn(
  ledger: Ledger,
  raise: ReturnType<typeof escalatingOn>['raise'],
  limits: readonly AlertLimit[],
) {
  const both = (n: number) => (n % 2 === 0 ? ledger.one : ledger.two);
  /** The people that there are besides are no admins for the time of a test. */
  async function only(id: string, more: Parameters<typeof putPerson>[2] = {}): Promise<void> {
    await ledger.one.rows("UPDATE person SET roles = '{}'");
    await putPerson(ledger.one, id, { email: `${id}@example.org`, roles: ['admin'], ...more }, OPS);
  }
  async function claimsOf(alertId: string, channel: Channel = 'email'): Promise<Claimed[]> {
    const rows = await ledger.one.rows<{ id: string }>(
      `SELECT d.id FROM delivery d JOIN notification n ON n.id = d.notification_id
       WHERE n.alert_id = $1 AND d.channel = $2 AND d.state = 'queued' ORDER BY d.id`,
      [alertId, channel],
    );
    return (
      await claimDeliveries(
        ledger.one,
        ANNA,
        60_000,
        rows.map(({ id }) => id),
      )
    ).map(claimed);
  }
  async function storm(count: number, sources: number, message = 'Full'): Promise<Claimed[]> {
    const claims: Claimed[] = [];
    for (let n = 0; n < count; n += 1) {
      const alert = await raise(ledger.one, { source: `s${n % sources}`, message: `${message} ${n}` });
      claims.push(...(await claimsOf(alert.id)));
    }
    return claims;
  }
  /** As a worker does: who is to ask later asks again. */
  const ask = async (
    personId: string,
    claims: readonly Claimed[],
    {
      n = 0,
      channel = 'email',
      priority = 'critical',
    }: { n?: number; channel?: Channel; priority?: Priority } = {},
  ) => {
    const passed = (those: readonly Claimed[]) =>
      passAlerts(both(n), ANNA, { personId, channel, priority }, those, limits);
    const { passages, seeds } = await passed(claims);
    const others = claims.filter((_, at) => passages[at]?.kind === 'later');
    if (others.length === 0) return { passages, seeds };
    const then = await passed(others);
    const second = then.passages.values();
    return {
      passages: passages.map((one) => (one.kind === 'later' ? (second.next().value ?? one) : one)),
      seeds: [...seeds, ...then.seeds],
    };
  };
  const bundlesOf = (personId: string) =>
    ledger.one.rows<{
      id: string;
      delivery: string;
      address: string;
      priority: string;
      open_count: number;
      due_in: number;
    }>(
      `SELECT n.id, d.id AS delivery, d.address, d.priority, n.open_count, (extract(epoch FROM d.due_at - now()))::float8 AS due_in
       FROM notification n JOIN delivery d ON d.notification_id = n.id
       WHERE n.person_id = $1 AND n.digest ORDER BY n.id, d.id`,
      [personId],
    );
  async function claimBundle(delivery: string): Promise<Claimed> {
    await ledger.one.rows('UPDATE delivery SET due_at = now() WHERE id = $1', [delivery]);
    return claimed((await claimDeliveries(ledger.one, ANNA, 60_000, [delivery]))[0]);
  }
  const age = (personId: string, seconds: number) =>
    ledger.one.rows(
      `UPDATE alert_pass SET passes = (SELECT jsonb_object_agg(key, to_jsonb(value::float8 - $2)) FROM jsonb_each(passes)) WHERE person_id = $1`,
      [personId, seconds],
    );
  return { only, claimsOf, storm, ask, bundlesOf, claimBundle, age };
}
