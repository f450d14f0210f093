import type { Outcome } from '@belfry/shared/domain/outcome.js';
import type { Answer } from './breaker.js';
import type { Found } from './provider.js';
import { type Account, bounded, type Errand } from './stages.js';

/**
 * Asks every account that can be asked whether the message is out already: which of them had it is not known here. Yields
 * who ended the search and how. Undefined when all are sure that it is not out, or none can be asked.
 */
export async function askFirst(
  candidates: readonly Account[],
  errand: Errand,
): Promise<{ readonly account: Account; readonly answer: Answer } | undefined> {
  for (const account of candidates) {
    if (account.abilities.afterAmbiguous !== 'ask-first') continue;
    let found: Found = unknown('internal', 'The provider was not asked.');
    // However often it fails: nobody else can know.
    const answer = await account.breaker.run({ ...errand, forced: true }, async () => {
      found = await ask(account, errand);
      return judged(found);
    });
    if (!('refused' in answer) && isAbsent(found)) continue;
    return { account, answer };
  }
  return undefined;
}

const isAbsent = ({ kind }: Found) => kind === 'absent';

/** What a finding says about the account. It is not `retry` when it cannot tell: the next attempt has to ask again. */
function judged(found: Found): Outcome {
  if (found.kind === 'absent') return { kind: 'sent', code: 'absent' };
  return found.kind === 'sent' ? found : { ...found, kind: 'ambiguous' };
}

async function ask(account: Account, { message, signal }: Errand): Promise<Found> {
  const { provider } = account;
  if (provider.find === undefined) return unknown('cannot-ask', 'The provider cannot be asked.');
  const overdue = unknown('overdue', 'The provider did not stop at its deadline.');
  try {
    return await bounded(
      account,
      signal,
      async (inner) => (await provider.find?.(message, inner)) ?? overdue,
      overdue,
    );
  } catch {
    return unknown('internal', 'The provider failed in a way it should not.');
  }
}

function unknown(code: string, error: string): Found {
  return { kind: 'unknown', code, error };
}
