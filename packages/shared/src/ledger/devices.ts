import type { Platform, PushKeys } from '../domain/device.js';
import { newId } from '../domain/ids.js';
import { type Actor, actorOn, personTarget, recordAudit } from './audit.js';
import type { Database, Statements } from './database.js';
import { retryTransient } from './retry-transient.js';

/** A device as it is stored. */
export interface Device {
  readonly id: string;
  readonly platform: Platform;
  /** The endpoint of a browser's subscription, or the registration token. */
  readonly address: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A device that registers itself. */
export interface NewDevice {
  readonly platform: Platform;
  readonly address: string;
  readonly keys: PushKeys | null;
}

/**
 * So many devices may a person have. Browsers renew their subscriptions and never say that an old one is over, so the one
 * that was registered longest ago makes room, and nobody is ever locked out.
 */
const MOST_DEVICES = 20;

const COLUMNS = 'id, platform, address, created_at AS "createdAt", updated_at AS "updatedAt"';

/** A person's devices, the oldest first; null when there is no such person. */
export async function listDevices(database: Database, personId: string): Promise<Device[] | null> {
  const rows = await database.rows<{ [K in keyof Device]: Device[K] | null }>(
    `SELECT d.id, d.platform, d.address, d.created_at AS "createdAt", d.updated_at AS "updatedAt"
     FROM person p LEFT JOIN device d ON d.person_id = p.id WHERE p.id = $1 ORDER BY d.id`,
    [personId],
  );
  return rows.length === 0 ? null : rows.filter((row): row is Device & typeof row => row.id !== null);
}

/**
 * Writes a device down as this person's, whoever had it before. `created` is false for one that was theirs already. Null when
 * there is no such person.
 */
export async function putDevice(
  database: Database,
  personId: string,
  device: NewDevice,
  actor: Actor,
): Promise<{ created: boolean; device: Device } | null> {
  return retryTransient(() =>
    database.transaction(async (transaction) => {
      const person = await hold(transaction, personId);
      if (person === null) return null;
      const [held] = await transaction.rows<{ personId: string }>(
        'SELECT person_id AS "personId" FROM device WHERE address = $1 FOR UPDATE',
        [device.address],
      );
      const created = held?.personId !== personId;
      const values = [newId(), personId, device.platform, device.address, JSON.stringify(device.keys)];
      const [stored] = await transaction.rows<Device & Record<string, unknown>>(PUT, values);
      if (stored === undefined) throw new Error('A device vanished while it was being written.');
      await transaction.rows(MAKE_ROOM, [personId, MOST_DEVICES]);
      await recordAudit(transaction, {
        actor: actorOn(actor, person),
        action: 'device.put',
        target: personTarget(person.auditId),
        details: { device: stored.id, platform: device.platform, created },
      });
      return { created, device: stored };
    }),
  );
}

/*
 * A device that comes from somebody else is a new one: it has a new id, so that whoever had it cannot name it, and what was
 * on its way to them is not sent to it any more.
 */
const PUT = `
INSERT INTO device (id, person_id, platform, address, keys) VALUES ($1, $2, $3, $4, nullif($5::jsonb, 'null'))
ON CONFLICT (address) DO UPDATE SET
  id = CASE WHEN device.person_id = excluded.person_id THEN device.id ELSE excluded.id END,
  created_at = CASE WHEN device.person_id = excluded.person_id THEN device.created_at ELSE now() END,
  person_id = excluded.person_id, platform = excluded.platform, keys = excluded.keys, updated_at = now()
RETURNING ${COLUMNS}`;

const MAKE_ROOM = `
DELETE FROM device WHERE id IN (
  SELECT id FROM device WHERE person_id = $1 ORDER BY updated_at DESC, id DESC OFFSET $2)`;

/** Which devices are to be forgotten: one by its id or its address, or all of a person's. */
export type DeviceChoice = { readonly id: string } | { readonly address: string } | 'all';

/** Forgets devices of a person. Resolves with how many; null when there is no such person. */
export async function removeDevices(
  database: Database,
  personId: string,
  choice: DeviceChoice,
  actor: Actor,
): Promise<number | null> {
  return retryTransient(() =>
    database.transaction(async (transaction) => {
      const person = await hold(transaction, personId);
      if (person === null) return null;
      const { id = null, address = null } = choice === 'all' ? {} : { id: null, address: null, ...choice };
      const removed = await transaction.rows<{ id: string }>(
        `DELETE FROM device WHERE person_id = $1 AND ($2::uuid IS NULL OR id = $2) AND ($3::text IS NULL OR address = $3)
         RETURNING id`,
        [personId, id, address],
      );
      if (removed.length === 0) return 0;
      await recordAudit(transaction, {
        actor: actorOn(actor, person),
        action: 'device.remove',
        target: personTarget(person.auditId),
        details: { devices: removed.map((one) => one.id) },
      });
      return removed.length;
    }),
  );
}

/** Two calls about one person's devices come one after the other, and the person stays until the end of it. */
async function hold(
  transaction: Statements,
  personId: string,
): Promise<{ id: string; auditId: string } | null> {
  const [person] = await transaction.rows<{ id: string; auditId: string }>(
    'SELECT id, audit_id AS "auditId" FROM person WHERE id = $1 FOR NO KEY UPDATE',
    [personId],
  );
  return person ?? null;
}
