import type { Fleet } from '../support/fleet.js';

export interface AuditRow {
  readonly actor: string;
  readonly role: string;
  readonly action: string;
  readonly target: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

/** What the audit trail has of one kind of act, newest first. */
export async function auditOf(fleet: Fleet, action: string): Promise<AuditRow[]> {
  const { rows } = await fleet.database.query<AuditRow>(
    'SELECT actor, role, action, target, details FROM audit_event WHERE action = $1 ORDER BY id DESC',
    [action],
  );
  return rows;
}
