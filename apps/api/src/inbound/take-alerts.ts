import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SourceKind } from '@belfry/shared/domain/alert-source.js';
import { type FieldError, invalid } from '@belfry/shared/domain/refusal.js';
import type { AlertSource } from '@belfry/shared/ledger/alert-sources.js';
import { findByDedupKey, moveAlertRow } from '@belfry/shared/ledger/alerts.js';
import { isOutage } from '@belfry/shared/ledger/outage.js';
import { announceMove } from '@belfry/shared/notify/move-alert.js';
import { type AlertingParts, raiseAlert } from '@belfry/shared/notify/raise-alert.js';
import type { InboundOutcomes } from '@belfry/shared/service/inbound-events.js';
import type { InboundAlert, InboundEntry, ReadPayload } from './inbound-alert.js';
import { readJson } from './json-alert.js';
import { readPrometheus } from './prometheus.js';

const READERS: Readonly<Record<SourceKind, ReadPayload>> = {
  alertmanager: readPrometheus,
  grafana: readPrometheus,
  json: readJson,
};

/** What came of a payload. Whatever is not an error is committed. */
export interface TakenAlerts {
  readonly outcomes: InboundOutcomes;
  /** How many more alerts there are that the source did not send. */
  readonly truncated: number;
  /** What could not be read, by its place in the payload: the first hundred mistakes. */
  readonly errors: readonly { readonly index: number; readonly errors: readonly FieldError[] }[];
}

/**
 * Opens and resolves what a source sent, each alert in a transaction of its own: one that is bad harms no other. Sending the
 * same again changes nothing but counts, so whoever got no answer may.
 *
 * @param gone aborts when nobody waits for the answer any more: the rest is left, and comes again with the next call.
 * @throws Refusal 422 for what is no payload of the source's kind, 413 for too many alerts; whatever an alert failed with, once
 * all that could be done is done.
 */
export async function takeAlerts(
  parts: AlertingParts,
  source: AlertSource,
  body: unknown,
  gone: AbortSignal,
): Promise<TakenAlerts> {
  const { count, entry, truncated } = READERS[source.kind](source, body);
  const outcomes = { opened: 0, repeated: 0, resolved: 0, ignored: 0, refused: 0 };
  const errors: { index: number; errors: readonly FieldError[] }[] = [];
  let failure: unknown;
  let unread = 0;
  let told = 0;
  for (let index = 0; index < count && !gone.aborted; index += 1) {
    try {
      const one = entry(index);
      if (!one.ok) {
        unread += 1;
        // What cannot be read waits for nothing, and others want their turn.
        await nextTurn();
      }
      const taken = await take(parts, source, one);
      outcomes[taken.outcome] += 1;
      if (taken.outcome === 'refused' && told < MOST_TOLD) {
        errors.push({ index, errors: taken.errors.slice(0, MOST_TOLD - told) });
        told += taken.errors.length;
      }
    } catch (error) {
      failure ??= error;
      if (isOutage(error)) break;
    }
  }
  if (unread > 0 && unread === count) throw invalid(errors.flatMap((one) => one.errors));
  parts.events.inboundTaken({ source: source.name, kind: source.kind, outcomes, truncated });
  // The sender comes again with all of them, and those that are done are repetitions then.
  if (failure !== undefined) throw failure;
  return { outcomes, truncated, errors };
}

const MOST_TOLD = 100;

type Taking =
  | { readonly outcome: Exclude<keyof InboundOutcomes, 'refused'> }
  | { readonly outcome: 'refused'; readonly errors: readonly FieldError[] };

async function take(parts: AlertingParts, source: AlertSource, entry: InboundEntry): Promise<Taking> {
  if (!entry.ok) return { outcome: 'refused', errors: entry.errors };
  const caller = `source:${source.name}`;
  const { alert } = entry;
  if (alert.status === 'resolved') return resolve(parts, alert, caller);
  // A script goes on naming a policy that somebody has removed, and nobody reads what it is told.
  const raising = await raiseAlert(parts, { ...alert.content, caller, withoutPolicy: true }, () => null);
  return { outcome: raising.kind === 'raised' && raising.opened ? 'opened' : 'repeated' };
}

/** Nobody needs to hear of the end of what was never open here, or was resolved by somebody. */
async function resolve(
  { database, events }: AlertingParts,
  { dedupKeys }: Extract<InboundAlert, { status: 'resolved' }>,
  caller: string,
): Promise<Taking> {
  const actor = { name: caller, via: 'source' } as const;
  let outcome: 'ignored' | 'resolved' = 'ignored';
  for (const key of dedupKeys) {
    const open = await findByDedupKey(database, key);
    const move = open === null ? null : await moveAlertRow(database, 'resolve', open.id, actor);
    if (move === null || !move.moved) continue;
    announceMove(events, move, actor);
    outcome = 'resolved';
  }
  return { outcome };
}
