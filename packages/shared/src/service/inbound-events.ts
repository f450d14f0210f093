import type { SourceKind } from '../domain/alert-source.js';
import type { Logger } from './log.js';

/** What comes in from sources of alerts and from heartbeats. */
export interface InboundEvents {
  /** What a source sent was worked off: how many of its alerts came to what. */
  inboundTaken(facts: {
    source: string;
    kind: SourceKind;
    outcomes: InboundOutcomes;
    truncated: number;
  }): void;
  /** A heartbeat is missed, or was heard of again. */
  heartbeatMoved(facts: { name: string; missed: boolean }): void;
  /** No beat could be heard for a while, and so many heartbeats were given their whole time again. */
  heartbeatsSpared(facts: { deafMs: number; heartbeats: number }): void;
}

/**
 * How many alerts opened one, were one more of one that is open, resolved one, resolved what was not open, and could not be read.
 */
export type InboundOutcomes = Readonly<
  Record<'opened' | 'repeated' | 'resolved' | 'ignored' | 'refused', number>
>;

/** These events as log lines. */
export function inboundLines(log: Logger): InboundEvents {
  return {
    inboundTaken: ({ source, kind, outcomes, truncated }) =>
      log[outcomes.refused + truncated > 0 ? 'warn' : 'info'](
        { event: 'inbound_taken', source, kind, ...outcomes, truncated },
        outcomes.refused > 0 ? 'a source sent alerts that cannot be read' : 'a source sent alerts',
      ),
    heartbeatMoved: ({ name, missed }) =>
      log[missed ? 'warn' : 'info'](
        { event: 'heartbeat_moved', heartbeat: name, missed },
        missed ? 'a heartbeat is missed' : 'a heartbeat was heard of again',
      ),
    heartbeatsSpared: ({ deafMs, heartbeats }) =>
      log.warn(
        { event: 'heartbeats_spared', deaf_ms: Math.round(deafMs), heartbeats },
        'no heartbeat could be heard for a while: those that would be missed for it have their whole time again',
      ),
  };
}
