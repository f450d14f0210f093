import { invalid, type Refusal } from '@belfry/shared/domain/refusal.js';
import type { UnknownPeople } from '@belfry/shared/ledger/on-call.js';
import type { Notifier } from '@belfry/shared/notify/notifier.js';

/** The user directory is asked for so many people at once. */
const AT_ONCE = 10;

/**
 * Does what puts people on call. Where some of them are not in the ledger, the user directory is asked for them, and it is done
 * again.
 */
export async function withDirectory<Outcome extends { readonly kind: string }>(
  notifier: Notifier,
  act: () => Promise<Outcome | UnknownPeople>,
): Promise<Outcome | UnknownPeople> {
  const first = await act();
  if (!isUnknown(first)) return first;
  for (let from = 0; from < first.ids.length; from += AT_ONCE)
    await Promise.all(first.ids.slice(from, from + AT_ONCE).map((id) => notifier.knows(id)));
  return act();
}

function isUnknown(outcome: { readonly kind: string }): outcome is UnknownPeople {
  return outcome.kind === 'unknown_people';
}

/** Where in the body somebody is named. */
export type Place = readonly [path: string, id: string];

/** Names everybody who is not there, and says what to do. */
export function unknownPeople(ids: readonly string[], places: readonly Place[]): Refusal {
  const errors = places
    .filter(([, id]) => ids.includes(id))
    .map(([path, id]) => ({ path, message: `There is nobody with the id ${id}.` }));
  const detail = `There is nobody with the id ${ids.join(', ')}: add them with PUT /api/v1/users/{id}, or leave them out.`;
  return invalid(errors, detail, 'unknown_person');
}
