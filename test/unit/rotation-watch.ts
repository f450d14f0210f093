import type { OnCallLayer, OnCallSchedule } from '@belfry/shared/domain/on-call.js';
import { clock, DAY_MS, MINUTE_MS } from './wall-clock.js';

/** Somebody's turn, as it was seen. */
export interface SeenTurn {
  readonly user_id: string;
  readonly since: number;
  readonly until: number;
}

/**
 * The turns of a layer up to a moment, found by looking at the clock on the wall every minute: at the first minute that shows
 * the next hand-off, or later, the next person takes over, and the hand-off after it is a day or a week further on. Turns of
 * hours take over when so many minutes have gone. Everything is on whole minutes.
 */
export function watchTurns(layer: OnCallLayer, to: number): SeenTurn[] {
  const show = clock(layer.timezone);
  const starts = Date.parse(layer.starts_at);
  const ends = Math.min(to, layer.ends_at === null ? Infinity : Date.parse(layer.ends_at));
  const midnight = Math.floor(show(starts) / DAY_MS) * DAY_MS;
  const first = midnight + minutesIn(layer.hand_off ?? '00:00') * MINUTE_MS;
  const seen: SeenTurn[] = [];
  let [turn, since] = [0, starts];
  const handOver = (at: number) => {
    seen.push({ user_id: layer.user_ids[turn % layer.user_ids.length] ?? '', since, until: at });
    turn += 1;
    since = at;
  };
  if (layer.turn.every === 'hours') {
    const long = layer.turn.hours * 60;
    // The clock is watched from midnight on for the time from which the hours are counted.
    let counted = layer.hand_off === null ? -1 : null;
    for (
      let minute = layer.hand_off === null ? starts : before(midnight, show, starts);
      minute < ends;
      minute += MINUTE_MS
    ) {
      if (counted === null && show(minute) >= first) counted = 0;
      else if (counted !== null) counted += 1;
      if (counted === null || counted < long) continue;
      counted = 0;
      if (minute > starts) handOver(minute);
    }
  } else {
    const long = layer.turn.every === 'day' ? DAY_MS : 7 * DAY_MS;
    let next = first + long;
    for (let minute = starts; minute < ends; minute += MINUTE_MS) {
      if (show(minute) < next) continue;
      handOver(minute);
      next += long;
    }
  }
  if (since < ends) handOver(ends);
  return seen;
}

/** The first minute of a day of the wall clock. */
function before(midnight: number, show: (time: number) => number, from: number): number {
  let minute = from;
  while (show(minute - MINUTE_MS) >= midnight) minute -= MINUTE_MS;
  return minute;
}

function minutesIn(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

/** Who is on call by what was seen: everybody's place is gone through, one override after the other. */
export function watchedAt(
  { user_ids, overrides }: OnCallSchedule,
  turns: readonly (readonly SeenTurn[])[],
  time: number,
): string[] {
  let places = [...user_ids];
  for (const layer of turns)
    for (const { user_id, since, until } of layer) if (since <= time && time < until) places.push(user_id);
  for (const override of overrides) {
    if (override.starts_at.getTime() > time || override.ends_at.getTime() <= time) continue;
    if (override.replaces === null) places = [override.user_id];
    for (const [index, id] of places.entries())
      if (id === override.replaces) places[index] = override.user_id;
  }
  return places.filter((id, index) => places.indexOf(id) === index);
}
