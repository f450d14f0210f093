import type { Attempt, Sender } from '@belfry/channels/send.js';
import type { Message } from '@belfry/shared/domain/message.js';
import type { Claimed } from '@belfry/shared/ledger/claim.js';
import type { DeliveryRecord } from '@belfry/shared/ledger/record.js';
import { putBack } from '@belfry/shared/queue/backoff-strategy.js';
import { deliveryJob } from '@belfry/shared/queue/jobs.js';
import type { JobProcessor } from '@belfry/shared/queue/queue-engine.js';
import { nextStep, type RetryPolicy } from '@belfry/shared/queue/retry.js';
import { type GuardRules, type Objection, objectionTo } from '@belfry/shared/routing/guard.js';
import type { Events } from '@belfry/shared/service/events.js';
import type { Tracing } from '@belfry/shared/service/tracing.js';
import type { Claims } from '../claims.js';
import { followDelivery, followTries } from '../delivery-trace.js';
import type { HoldBack } from '../holding.js';
import type { Leases } from '../leases.js';
import type { Recorder } from '../recorder.js';
import type { RenderStage } from '../render-stage.js';
import { endJob, type Recorded } from './job-ending.js';

export interface DeliverParts {
  readonly claims: Claims;
  readonly leases: Leases;
  readonly render: RenderStage;
  readonly sender: Sender;
  readonly recorder: Recorder;
  readonly policy: RetryPolicy;
  readonly guard: GuardRules;
  readonly holdBack: HoldBack;
  readonly events: Events;
  readonly tracing: Tracing;
}

/** Takes one delivery from its queue to its provider: claim, guard, render, send, record. */
export function createDeliver(parts: DeliverParts): JobProcessor {
  const { tracing } = parts;
  return async (job, token) => {
    const { delivery_id } = deliveryJob.parse(job.data);
    const asked = performance.now();
    const claim = await parts.claims.claim(delivery_id);
    const claimedAt = performance.now();
    if (claim.kind === 'over') return;
    if (claim.kind !== 'claimed') return putBack(job, token, claim.waitMs);
    if (claim.was === 'sending') parts.events.takenOver(claim);

    const settle = (record: DeliveryRecord) =>
      tracing.span('record', {}, () => parts.recorder.record(claim, record));
    const recorded = await followDelivery(tracing, claim, asked, async () => {
      const lease = parts.leases.hold(claim, asked);
      try {
        const objection = objectionTo(claim, parts.guard);
        if (objection !== null) return await settle(objected(claim, objection));

        const held = await parts.holdBack(claim);
        if (held.kind === 'lost') return lost(claim);
        if (held.kind === 'handed_over') return handedOver(parts.events, claim, held.reason);
        if (held.kind === 'objected') return await settle(objected(claim, held.objection));

        const rendered = await tracing.span('render', {}, () => parts.render(claim, held.several));
        if (!rendered.ok) return await settle(unrenderable(claim, rendered.reason));

        if (!lease.valid()) return await settle(unsent(claim));
        const attempt = await parts.sender.send(rendered.message, {
          ambiguous: claim.inDoubt,
          recalled: claim.recalled,
          signal: lease.signal,
        });
        followTries(tracing, attempt);
        announce(parts.events, claim, attempt, claim.notification.ageMs + performance.now() - claimedAt);
        return await settle(attempted(claim, rendered, attempt, parts.policy));
      } finally {
        lease.release();
        parts.claims.done(claim);
      }
    });
    return endJob(job, token, recorded);
  };
}

/** What is recorded of a claim under which nothing was tried. */
function untried(claim: Claimed) {
  return {
    deliveryId: claim.deliveryId,
    claim: claim.claim,
    dueInMs: 0,
    cost: 0,
    retryable: false,
    failure: null,
    inDoubt: claim.inDoubt,
    address: claim.address,
    provider: null,
    providerId: null,
    template: null,
    tries: [],
    suppress: null,
  } as const;
}

function objected(claim: Claimed, objection: Objection): DeliveryRecord {
  return { ...untried(claim), ...objection };
}

/** The ledger has it already, in the transaction that put it into a digest or a bundle. */
function handedOver(events: Events, claim: Claimed, reason: string): Recorded {
  const record: DeliveryRecord = { ...untried(claim), state: 'sent', reason };
  const { notificationId, deliveryId, channel } = claim;
  const { state } = record;
  events.moved({ notificationId, deliveryId, channel, state, reason, failure: null, dueInMs: 0 });
  return { record, result: 'recorded' };
}

function lost(claim: Claimed): Recorded {
  return { record: unsent(claim), result: 'superseded' };
}

/** The lease may have lapsed before anything was sent: whoever claims the delivery next begins afresh. */
function unsent(claim: Claimed): DeliveryRecord {
  return { ...untried(claim), state: 'retrying', reason: 'lease_lapsed' };
}

/** A text that cannot be made is the event's fault, not the provider's: it would fail again in the same way. */
function unrenderable(claim: Claimed, reason: string): DeliveryRecord {
  const tried = {
    provider: 'templates',
    outcome: 'rejected',
    code: 'template',
    error: reason,
    startedMsAgo: 0,
    finishedMsAgo: 0,
  } as const;
  return {
    ...untried(claim),
    state: 'dead',
    reason: 'template',
    failure: 'unrenderable',
    cost: 1,
    tries: [tried],
  };
}

function attempted(
  claim: Claimed,
  { template }: { message: Message; template: string | null },
  { tries, outcome }: Attempt,
  policy: RetryPolicy,
): DeliveryRecord {
  const now = Date.now();
  return {
    deliveryId: claim.deliveryId,
    claim: claim.claim,
    ...nextStep(outcome, claim.attempts, claim.heldMs, policy),
    // Whoever could be asked has been asked before anything was sent again, so only a new doubt remains.
    inDoubt: outcome.kind === 'ambiguous' || (tries.length === 0 && claim.inDoubt),
    address: claim.address,
    provider: tries.at(-1)?.provider ?? null,
    providerId: outcome.kind === 'sent' ? (outcome.providerId ?? null) : null,
    template,
    suppress: outcome.kind === 'rejected' && outcome.suppress === true ? outcome.code : null,
    tries: tries.map((one) => ({
      provider: one.provider,
      outcome: one.outcome.kind,
      code: one.outcome.code,
      error: one.outcome.kind === 'sent' ? null : one.outcome.error,
      startedMsAgo: Math.max(0, now - one.startedAt.getTime()),
      finishedMsAgo: Math.max(0, now - one.finishedAt.getTime()),
    })),
  };
}

function announce(events: Events, claim: Claimed, { tries }: Attempt, sinceAcceptMs: number): void {
  const { notificationId, deliveryId, channel, priority } = claim;
  const delivery = { notificationId, deliveryId, channel, priority };
  for (const one of tries) {
    const durationMs = one.finishedAt.getTime() - one.startedAt.getTime();
    const { kind, code } = one.outcome;
    events.attempted({
      ...delivery,
      provider: one.provider,
      outcome: kind,
      code,
      durationMs,
      sinceAcceptMs: kind === 'sent' ? sinceAcceptMs : null,
    });
  }
}
