import type { OnCallLayer, OnCallSchedule } from './on-call.js';
import { Rotation, type Stretch } from './rotation.js';

/** Who is on call at a moment, and how long that is sure. */
export interface OnCallNow {
  /** Each person once. */
  readonly user_ids: readonly string[];
  /** The next hand-off, or the next beginning or end of a layer or an override; null when nothing comes any more. */
  readonly until: Date | null;
}

/**
 * Who is on call at a moment: those who always are, then those whose turn it is, layer by layer, with those in their places who
 * stand in for them. Of several overrides at once the later one was made knowing of the earlier: it finds people as that one
 * has left them. Whether they can be told is not asked here.
 */
export function onCallAt(schedule: OnCallSchedule, at: Date): OnCallNow {
  const time = at.getTime();
  const turns = schedule.layers.map((layer) => new Rotation(layer).at(time));
  const until = nextChange(schedule, turns, time);
  return {
    user_ids: peopleAt(schedule, turns, time),
    until: until === Number.POSITIVE_INFINITY ? null : new Date(until),
  };
}

function peopleAt(schedule: OnCallSchedule, turns: readonly Stretch[], time: number): string[] {
  let people = [...schedule.user_ids, ...turns.flatMap(({ user_id }) => user_id ?? [])];
  for (const { user_id, replaces, starts_at, ends_at } of schedule.overrides) {
    if (time < starts_at.getTime() || time >= ends_at.getTime()) continue;
    people = replaces === null ? [user_id] : people.map((one) => (one === replaces ? user_id : one));
  }
  return [...new Set(people)];
}

function nextChange({ overrides }: OnCallSchedule, turns: readonly Stretch[], time: number): number {
  const edges = overrides.flatMap(({ starts_at, ends_at }) => [starts_at.getTime(), ends_at.getTime()]);
  return Math.min(...turns.map(({ until }) => until), ...edges.filter((edge) => edge > time));
}

/** One person's turn. */
export interface Turn {
  readonly user_id: string;
  readonly since: Date;
  /** The first moment at which it is over. */
  readonly until: Date;
}

/** Whose turn it is in a layer, and whose it is then, whatever overrides say; null when there is nobody. */
export function turnsAt(layer: OnCallLayer, at: Date): { now: Turn | null; next: Turn | null } {
  const rotation = new Rotation(layer);
  const now = rotation.at(at.getTime());
  const next = now.until === Number.POSITIVE_INFINITY ? null : turnOf(rotation.at(now.until));
  return { now: turnOf(now), next };
}

function turnOf({ user_id, since, until }: Stretch): Turn | null {
  return user_id === null ? null : { user_id, since: new Date(since), until: new Date(until) };
}

/** A time in which the same people are on call. */
export interface OnCallSpan {
  readonly starts_at: Date;
  readonly ends_at: Date;
  /** Empty when nobody is. */
  readonly user_ids: readonly string[];
}

/** Who is on call from one moment to another, without a gap, each time as long as it can be. */
export function onCallSpans(schedule: OnCallSchedule, from: Date, to: Date): OnCallSpan[] {
  const rotations = schedule.layers.map((layer) => new Rotation(layer));
  let turns: Stretch[] = rotations.map(() => NEVER);
  const spans: OnCallSpan[] = [];
  for (let time = from.getTime(); time < to.getTime(); ) {
    const moment = time;
    turns = rotations.map((rotation, index) => stillOr(turns[index], moment, rotation));
    const user_ids = peopleAt(schedule, turns, moment);
    time = Math.min(to.getTime(), nextChange(schedule, turns, moment));
    const last = spans.at(-1);
    const same = last !== undefined && last.user_ids.join(' ') === user_ids.join(' ');
    if (same) spans.pop();
    spans.push({ starts_at: same ? last.starts_at : new Date(moment), ends_at: new Date(time), user_ids });
  }
  return spans;
}

const NEVER: Stretch = { user_id: null, since: Number.NEGATIVE_INFINITY, until: Number.NEGATIVE_INFINITY };

/** The stretch in which the moment lies: the one before, as long as it lasts. */
function stillOr(before: Stretch | undefined, moment: number, rotation: Rotation): Stretch {
  return before !== undefined && before.until > moment ? before : rotation.at(moment);
}
