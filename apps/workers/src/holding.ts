import type { Claimed } from '@belfry/shared/ledger/claim.js';
import type { GatheredItem } from '@belfry/shared/ledger/gather.js';
import type { Objection } from '@belfry/shared/routing/guard.js';

/** Several that are told of in one message: the first of them, and how many there are. */
export interface Several {
  readonly items: readonly GatheredItem[];
  readonly count: number;
}

/** What the rules of its event make of a delivery that nothing stands against. */
export type Holding =
  /** It goes out now, in the place of `several` when there are any. */
  | { readonly kind: 'pass'; readonly several?: Several }
  /** Another notification will tell of it, as the reason says; the ledger has it so already. */
  | { readonly kind: 'handed_over'; readonly reason: string }
  /** It is not to go out, or not yet. */
  | { readonly kind: 'objected'; readonly objection: Objection }
  /** Somebody else has the delivery by now, or the ledger is away. */
  | { readonly kind: 'lost' };

export type HoldBack = (claim: Claimed) => Promise<Holding>;
