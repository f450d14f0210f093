import { z } from 'zod';
import type { OnCallLayer, OnCallOverride, TurnLength } from '../domain/on-call.js';
import { anyMoment, externalId, line, moment, timeOfDay, timezone } from './fields.js';

const MOST_PEOPLE = 50;
const MOST_LAYERS = 10;
const MOST_HOURS = 366 * 24;
const LONGEST_OVERRIDE_DAYS = 366;
const LONGEST_CALENDAR_DAYS = 92;
const DAY_MS = 24 * 60 * 60 * 1000;

const people = z.array(externalId).max(MOST_PEOPLE, `must have at most ${MOST_PEOPLE} people`);

const turn = z
  .object({
    every: z.enum(['day', 'week', 'hours'], 'must be one of day, week, hours'),
    hours: z
      .int()
      .min(1, 'must be at least 1')
      .max(MOST_HOURS, `must be at most ${MOST_HOURS}`)
      .optional()
      .meta({ description: 'How many, for `hours`' }),
  })
  .transform(({ every, hours }, context): TurnLength => {
    if (every !== 'hours') {
      if (hours === undefined) return { every };
      context.addIssue({ code: 'custom', path: ['hours'], message: 'is only for turns of hours' });
    } else {
      if (hours !== undefined) return { every, hours };
      context.addIssue({ code: 'custom', path: ['hours'], message: 'is required for turns of hours' });
    }
    return z.NEVER;
  })
  .meta({ id: 'TurnLength', description: 'How long a turn is: a day, a week, or so many `hours`' });

const layer = z
  .object({
    name: line(64),
    user_ids: people
      .min(1, 'must name at least one person')
      .meta({ description: 'In the order of their turns' }),
    turn,
    hand_off: timeOfDay.nullish().meta({
      description:
        'When turns change, by the clock in the time zone, such as 09:00. Turns of hours are counted from it on the day of `starts_at`; without it, which only they may be, from `starts_at`',
    }),
    timezone,
    starts_at: anyMoment.meta({ description: 'When the turn of the first person begins' }),
    ends_at: anyMoment.nullish().meta({ description: 'When it ends; never when null' }),
  })
  .superRefine(({ turn, hand_off, starts_at, ends_at }, context) => {
    if (turn.every !== 'hours' && typeof hand_off !== 'string')
      context.addIssue({
        code: 'custom',
        path: ['hand_off'],
        message: 'is required for turns of a day or a week',
      });
    if (ends_at instanceof Date && ends_at <= starts_at)
      context.addIssue({ code: 'custom', path: ['ends_at'], message: 'must be after starts_at' });
  })
  .transform(
    ({ hand_off, starts_at, ends_at, ...rest }): OnCallLayer => ({
      ...rest,
      hand_off: hand_off ?? null,
      starts_at: starts_at.toISOString(),
      ends_at: ends_at?.toISOString() ?? null,
    }),
  )
  .meta({ id: 'OnCallLayerChange', description: 'People who take turns.' });

/** Who is on call; what is left out stays as it is. */
export const onCallBody = z
  .object({
    user_ids: people
      .transform((ids) => [...new Set(ids)])
      .optional()
      .meta({ description: 'Those who always are' }),
    layers: z
      .array(layer)
      .max(MOST_LAYERS, `must have at most ${MOST_LAYERS} layers`)
      .optional()
      .meta({ description: 'Those who take turns' }),
  })
  .refine(
    ({ user_ids, layers }) => user_ids !== undefined || layers !== undefined,
    'must have user_ids, layers or both',
  )
  .meta({ id: 'OnCallChange', anyOf: [{ required: ['user_ids'] }, { required: ['layers'] }] });

/** Somebody who is to stand in. */
export const overrideBody = z
  .object({
    user_id: externalId.meta({ description: 'Who is on call instead' }),
    replaces: externalId.nullish().meta({ description: 'For whom; for everybody when null' }),
    starts_at: moment,
    ends_at: moment.meta({
      description: `Still to come, and ${LONGEST_OVERRIDE_DAYS} days after it at most`,
    }),
  })
  .superRefine(({ user_id, replaces, starts_at, ends_at }, context) => {
    const wrong = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (replaces === user_id) wrong('replaces', 'must differ from user_id');
    if (ends_at <= starts_at) wrong('ends_at', 'must be after starts_at');
    else if (ends_at.getTime() - starts_at.getTime() > LONGEST_OVERRIDE_DAYS * DAY_MS)
      wrong('ends_at', `must be at most ${LONGEST_OVERRIDE_DAYS} days after starts_at`);
    else if (ends_at.getTime() <= Date.now()) wrong('ends_at', 'must be still to come');
  })
  .transform(({ replaces, ...rest }): Omit<OnCallOverride, 'id'> => ({ ...rest, replaces: replaces ?? null }))
  .meta({ id: 'NewOnCallOverride' });

/** From when to when a calendar is asked for. */
export const calendarQuery = z.object({
  from: anyMoment.optional().meta({ description: 'Now when it is left out' }),
  to: anyMoment.optional().meta({
    description: `A week after it when it is left out; ${LONGEST_CALENDAR_DAYS} days after it at most`,
  }),
});

/** The end of a calendar, or what is wrong with it. */
export function calendarEnd(from: Date, to: Date | undefined): Date | { readonly wrong: string } {
  const end = to ?? new Date(from.getTime() + 7 * DAY_MS);
  if (end <= from) return { wrong: 'must be after from' };
  return end.getTime() - from.getTime() > LONGEST_CALENDAR_DAYS * DAY_MS
    ? { wrong: `must be at most ${LONGEST_CALENDAR_DAYS} days after from` }
    : end;
}
