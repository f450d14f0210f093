import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { Notifier } from '@belfry/shared/notify/notifier.js';

/**
 * Does something with a person's own things: `act` resolves with null when there is no such person. One whom only the user
 * directory knows so far is written down, and it is done again. Throws `Refusal` when nobody knows them, or the directory
 * cannot be asked.
 */
export async function withKnown<Result>(
  notifier: Pick<Notifier, 'knows'>,
  id: string,
  act: () => Promise<Result | null>,
): Promise<Result> {
  const done = (await act()) ?? ((await notifier.knows(id)) ? await act() : null);
  if (done === null) throw unknownPerson(id);
  return done;
}

export function unknownPerson(id: string): Refusal {
  return new Refusal('not_found', `User with ID ${id} not found.`, { reason: 'unknown_person' });
}
