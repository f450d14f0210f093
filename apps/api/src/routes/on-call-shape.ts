import { onCallAt, turnsAt } from '@belfry/shared/domain/on-call-at.js';
import type { StoredOnCall, StoredOverride } from '@belfry/shared/ledger/on-call.js';

/** Who is on call at the moment that was asked for. */
function standing(onCall: StoredOnCall) {
  const { user_ids, until } = onCallAt(onCall, onCall.at);
  return { alert_type: onCall.alertType, user_ids, at: onCall.at, until };
}

/** A schedule in a list. */
export function listedOnCall(onCall: StoredOnCall) {
  const { user_ids, layers, createdAt, updatedAt } = onCall;
  return {
    ...standing(onCall),
    fixed: user_ids,
    layers: layers.map(({ name }) => name),
    created_at: createdAt,
    updated_at: updatedAt,
  };
}

/** The whole schedule. `inactive` are those of its people who are switched off. */
export function shownOnCall(onCall: StoredOnCall, inactive: readonly string[]) {
  const { user_ids, layers, overrides, at, createdAt, updatedAt } = onCall;
  return {
    ...standing(onCall),
    fixed: user_ids,
    layers: layers.map((layer) => ({ ...layer, ...turnsAt(layer, at) })),
    overrides: overrides.map(shownOverride),
    inactive,
    created_at: createdAt,
    updated_at: updatedAt,
  };
}

export function shownOverride({
  id,
  user_id,
  replaces,
  starts_at,
  ends_at,
  created_by,
  created_at,
}: StoredOverride) {
  return { id, user_id, replaces, starts_at, ends_at, created_by, created_at };
}

/** Everybody who has a place in a schedule. */
export function peopleIn({ user_ids, layers, overrides }: StoredOnCall): string[] {
  return [
    ...user_ids,
    ...layers.flatMap((layer) => layer.user_ids),
    ...overrides.map((override) => override.user_id),
  ];
}
