import type { AlertLimits } from '@belfry/shared/domain/alert-limit.js';
import { openBundle, type Passage, type PassOf, passAlerts } from '@belfry/shared/ledger/alert-pass.js';
import type { Claimed } from '@belfry/shared/ledger/claim.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { handedOverTo } from '@belfry/shared/ledger/hand-over.js';
import type { Enqueuer } from '@belfry/shared/queue/enqueuer.js';
import { createBatcher } from '@belfry/shared/service/batcher.js';
import type { Holding } from './holding.js';

interface AlertHoldBackParts {
  readonly database: Database;
  /** This worker process: a lease carries it. */
  readonly owner: string;
  readonly enqueuer: Pick<Enqueuer, 'enqueue'>;
  readonly limits: AlertLimits;
}

/** In a storm one transaction lets as many pass, or holds them back. */
const BATCH = 100;
/** At once, each for another person, channel or priority: one holds a row that others wait for. */
const FLIGHTS = 4;

/** Keeps to how often alerts may reach a person on a channel, and has bundles tell of the others. */
export function createAlertHoldBack({ database, owner, enqueuer, limits }: AlertHoldBackParts) {
  const limitsOf = ({ channel }: Pick<Claimed, 'channel'>) => limits[channel] ?? [];
  const turns = createBatcher<Turn, Passage>({
    batch: BATCH,
    flights: FLIGHTS,
    waiting: 20_000,
    keyOf: ({ of }) => `${of.channel} ${of.priority} ${of.personId}`,
    async run(given) {
      const [first] = given;
      if (first === undefined) return [];
      const claims = given.map(({ claim }) => claim);
      const { passages, seeds } = await passAlerts(database, owner, first.of, claims, limitsOf(first.of));
      enqueuer.enqueue(seeds);
      return passages;
    },
  });

  async function open(claim: Claimed, of: PassOf): Promise<Holding> {
    const opening = await openBundle(database, of, claim, limitsOf(claim));
    switch (opening.kind) {
      case 'tell':
        return { kind: 'pass', several: opening };
      case 'early':
        return {
          kind: 'objected',
          objection: { state: 'scheduled', reason: 'alert_limit', dueInMs: opening.waitMs },
        };
      case 'empty':
        return { kind: 'objected', objection: { state: 'suppressed', reason: 'no_open_alert' } };
      case 'lost':
        return opening;
    }
  }

  return {
    async holdBack(claim: Claimed): Promise<Holding> {
      const { notification, channel, priority } = claim;
      const { personId } = notification;
      // The operator's mail, that nobody could be told, is no person's.
      if (personId === null) return { kind: 'pass' };
      if (notification.alert === null) return open(claim, { personId, channel, priority });
      if (limitsOf(claim).length === 0) return { kind: 'pass' };
      for (;;) {
        const passage = await turns.add({ claim, of: { personId, channel, priority } });
        if (passage.kind !== 'later') return holdingOf(passage);
      }
    },
  };
}

interface Turn {
  readonly claim: Claimed;
  readonly of: PassOf;
}

function holdingOf(passage: Exclude<Passage, { kind: 'later' }>): Holding {
  return passage.kind === 'bundled'
    ? { kind: 'handed_over', reason: handedOverTo('bundle', passage.bundleId) }
    : passage;
}
