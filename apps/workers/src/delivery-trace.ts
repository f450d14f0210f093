import type { Attempt } from '@belfry/channels/send.js';
import type { Claimed } from '@belfry/shared/ledger/claim.js';
import type { Tracing } from '@belfry/shared/service/tracing.js';
import type { Recorded } from './processors/job-ending.js';

/**
 * Runs the work on a delivery in a span that follows the call it came from. The ledger says which call that was, so the
 * trace goes on after a queue was wiped. The claim, by which this became known, is the span's first part.
 *
 * @param asked the process's monotonic clock before the claim was asked for.
 */
export function followDelivery(
  tracing: Tracing,
  claim: Claimed,
  asked: number,
  work: () => Promise<Recorded>,
): Promise<Recorded> {
  const startedMsAgo = performance.now() - asked;
  const facts = {
    'belfry.delivery_id': claim.deliveryId,
    'belfry.notification_id': claim.notificationId,
    'belfry.channel': claim.channel,
    'belfry.priority': claim.priority,
    'belfry.round': claim.round,
  };
  const parent = claim.notification.traceparent;
  return tracing.span(`deliver ${claim.channel}`, { parent, startedMsAgo, facts }, async (span) => {
    tracing.past('claim', { startedMsAgo });
    const recorded = await work();
    const { state, reason } = recorded.record;
    span.say({ 'belfry.state': state, ...(reason === null ? {} : { 'belfry.reason': reason }) });
    if (state === 'dead') span.fail(reason ?? state);
    return recorded;
  });
}

/** Writes down what each provider was asked and said. */
export function followTries(tracing: Tracing, { tries }: Attempt): void {
  const now = Date.now();
  for (const { provider, outcome, startedAt, finishedAt } of tries) {
    tracing.past(`send ${provider}`, {
      kind: 'client',
      startedMsAgo: now - startedAt.getTime(),
      endedMsAgo: now - finishedAt.getTime(),
      facts: { 'belfry.provider': provider, 'belfry.outcome': outcome.kind, 'belfry.code': outcome.code },
      ...(outcome.kind === 'sent' ? {} : { failed: outcome.code }),
    });
  }
}
