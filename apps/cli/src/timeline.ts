import { OPEN_STATES } from '@belfry/shared/domain/delivery-state.js';
import type { Attempt, Delivery, Details } from './api/shapes.js';
import type { Terminal } from './terminal.js';
import { inColour } from './text/colours.js';
import { fromNow, moment, since } from './text/times.js';
import { visible } from './text/visible.js';

/** Something that happened to a notification: `email  retry  attempt 1 by smtp: 451`. */
export interface Moment {
  /** Names it within its notification, so that it is told once. */
  readonly key: string;
  /** Milliseconds since the epoch; null where the ledger has no time for it. */
  readonly at: number | null;
  readonly channel: string;
  readonly what: string;
  readonly how: string;
}

/** True when nothing more happens to it by itself. */
export function isOver({ deliveries }: Details): boolean {
  return deliveries.every(({ state }) => !OPEN_STATES.some((open) => open === state));
}

/** All that happened, the oldest first; what has no time comes last. */
export function momentsOf(details: Details): Moment[] {
  const accepted = {
    key: 'accepted',
    at: new Date(details.created_at).getTime(),
    channel: 'accepted',
    what: '',
    how: `by ${visible(details.caller ?? 'nobody known')}`,
  };
  const moments = details.deliveries.flatMap((delivery, index) => [
    ...delivery.attempts
      .filter(({ outcome }) => outcome !== 'sent')
      .map((attempt) => attemptMoment(delivery, index, attempt)),
    stateMoment(delivery, index),
  ]);
  return [accepted, ...moments.toSorted((a, b) => (a.at ?? Infinity) - (b.at ?? Infinity))];
}

/** One line of the timeline: the time since `startMs`, in its own column, then what happened. */
export function drawMoment(terminal: Terminal, { at, channel, what, how }: Moment, startMs: number): string {
  const time = at === null ? '' : since(at - startMs);
  return drawLine(terminal, time, channel, what, how);
}

/** The same with a time that is already a text. */
export function drawLine(
  terminal: Terminal,
  time: string,
  channel: string,
  what: string,
  how: string,
): string {
  const state = inColour(terminal, what, what.padEnd(10));
  const rest = what === '' ? how : `${state} ${how}`;
  return `${terminal.paint('dim', time.padStart(9))}  ${channel.padEnd(9)}  ${rest}`.trimEnd();
}

/** What is known of a notification, above its timeline. */
export function drawHead(terminal: Terminal, details: Details): string[] {
  const { id, status, user_id, event_type, priority } = details;
  const about = visible(event_type ?? details.title ?? details.type ?? 'message');
  const to = user_id === null ? '' : ` to ${visible(user_id)}`;
  const lines = [
    `${terminal.paint('bold', `${about}${to}`)}  ${inColour(terminal, status)}  ${visible(priority)}`,
    terminal.paint('dim', `${id}  ${moment(details.created_at)}, ${fromNow(details.created_at)}`),
  ];
  if (details.send_at !== null)
    lines.push(`to be sent ${moment(details.send_at)}, ${fromNow(details.send_at)}`);
  if (details.expires_at !== null)
    lines.push(`expires ${moment(details.expires_at)}, ${fromNow(details.expires_at)}`);
  if (details.reason !== null) lines.push(`reason: ${visible(details.reason)}`);
  return lines;
}

function attemptMoment(delivery: Delivery, index: number, attempt: Attempt): Moment {
  const { n, outcome, provider, code, error } = attempt;
  const ended = attempt.finished_at ?? attempt.started_at;
  const said = [code, error].filter(Boolean).join(' ');
  return {
    key: `${index} attempt ${n}`,
    at: new Date(ended).getTime(),
    channel: visible(delivery.channel),
    what: visible(outcome),
    how: visible(
      `attempt ${n}${provider === null ? '' : ` by ${provider}`}${said === '' ? '' : `: ${said}`}`,
    ),
  };
}

function stateMoment(
  { channel, state, provider, to, reason, attempts, ...times }: Delivery,
  index: number,
): Moment {
  const isSent = state === 'sent' || state === 'delivered';
  const last = attempts.at(-1);
  const waits = (state === 'retrying' || state === 'scheduled' || state === 'ambiguous') && times.due_at;
  const how = [
    provider && `by ${provider}`,
    to && `to ${to}`,
    reason && `(${reason})`,
    waits && `next ${fromNow(waits)}`,
  ];
  const over = isSent ? times.sent_at : state === 'dead' ? (last?.finished_at ?? null) : null;
  return {
    key: `${index} ${state}`,
    at: over === null ? null : new Date(over).getTime(),
    channel: visible(channel),
    what: visible(state),
    how: visible(how.filter(Boolean).join(' ')),
  };
}
