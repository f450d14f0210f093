import { and, desc, eq, gte, lt } from 'drizzle-orm';
import { newId } from '../domain/ids.js';
import type { Database, Statements } from './database.js';
import { auditEvent, person } from './schema.js';

/** Who does something: the subject and role of a token, or the name of a command with the role `system`. */
export interface Actor {
  readonly sub: string;
  readonly role: string;
}

/** Every administrative act, named after what it is done to and the verb. */
export const AUDIT_ACTIONS = [
  'person.put',
  'person.erase',
  'person.import',
  'preferences.put',
  'notification.cancel',
  'notification.retry',
  'dead_letter.replay',
  'board.sign_in',
  'board.sign_in_refused',
  'board.change',
  'queues.rebuild',
  'webhook_secret.read',
  'device.put',
  'device.remove',
  'group.add',
  'group.remove',
  'broadcast.create',
  'broadcast.pause',
  'broadcast.resume',
  'broadcast.cancel',
  'on_call.put',
  'on_call.delete',
  'on_call.override',
  'on_call.override_removed',
  'alert_source.put',
  'alert_source.token',
  'alert_source.remove',
  'heartbeat.put',
  'heartbeat.remove',
  'escalation_policy.put',
  'escalation_policy.remove',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** An act as it is written down. Nothing in it is personal data: people are named by their audit id. */
export interface AuditEntry {
  readonly actor: Actor;
  readonly action: AuditAction;
  /** As `person:<audit id>`, `notification:<id>`, `broadcast:<id>`, `queue:email.normal`; null for an act on the whole. */
  readonly target: string | null;
  readonly details?: Readonly<Record<string, unknown>>;
}

export type AuditEvent = typeof auditEvent.$inferSelect;

/**
 * Writes an act down. In the transaction of the act itself, so that there is never the one without the other: when this
 * fails, the act has not happened.
 */
export async function recordAudit(transaction: Statements, entry: AuditEntry): Promise<void> {
  await transaction.orm.insert(auditEvent).values({
    id: newId(),
    actor: entry.actor.sub,
    role: entry.actor.role,
    action: entry.action,
    target: entry.target,
    details: entry.details ?? {},
  });
}

/** Filters of the trail; all that are given must hold. */
export interface AuditFilter {
  readonly actor?: string | undefined;
  readonly action?: AuditAction | undefined;
  readonly target?: string | undefined;
  /** At or after. */
  readonly from?: Date | undefined;
  /** Before. */
  readonly to?: Date | undefined;
}

/** A page of the trail, newest first. `beforeId` is the last id of the page before. */
export async function listAudit(
  database: Database,
  filter: AuditFilter,
  page: { beforeId?: string | undefined; limit: number },
): Promise<AuditEvent[]> {
  const { actor, action, target, from, to } = filter;
  return database.orm
    .select()
    .from(auditEvent)
    .where(
      and(
        actor === undefined ? undefined : eq(auditEvent.actor, actor),
        action === undefined ? undefined : eq(auditEvent.action, action),
        target === undefined ? undefined : eq(auditEvent.target, target),
        from === undefined ? undefined : gte(auditEvent.at, from),
        to === undefined ? undefined : lt(auditEvent.at, to),
        page.beforeId === undefined ? undefined : lt(auditEvent.id, page.beforeId),
      ),
    )
    .orderBy(desc(auditEvent.id))
    .limit(page.limit);
}

/** What the trail calls a person who is still there, or null. */
export async function auditTargetOf(database: Statements, personId: string): Promise<string | null> {
  const [found] = await database.orm
    .select({ auditId: person.auditId })
    .from(person)
    .where(eq(person.id, personId));
  return found === undefined ? null : personTarget(found.auditId);
}

/**
 * Who does something to a person, as the trail has it. Whoever does it to themself is named there as the person they are: the
 * trail is kept for ever, and their id may be an address.
 */
export function actorOn(actor: Actor, person: { id: string; auditId: string }): Actor {
  return actor.sub === person.id ? { ...actor, sub: personTarget(person.auditId) } : actor;
}

/** The name of a person in the trail. */
export function personTarget(auditId: string): string {
  return `person:${auditId}`;
}
