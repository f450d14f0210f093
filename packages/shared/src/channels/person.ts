import { z } from 'zod';
import { CHANNELS, type Channel } from '../domain/channel.js';
import type { QuietHours } from '../domain/quiet-hours.js';
import type { WishesChange } from '../domain/wishes.js';
import { emailAddress, externalId, locale, phoneNumber, timeOfDay, timezone, webhookUrl } from './fields.js';

/** What may be said of a person; what is left out stays as it is, and null takes an address away. */
export const personBody = z.object({
  email: emailAddress.nullish(),
  phone: phoneNumber.nullish(),
  locale: locale.optional(),
  timezone: timezone.optional(),
  roles: z.array(externalId).max(50).optional(),
  active: z.boolean().optional(),
  groups: z.array(externalId).max(1_000).optional(),
  webhook_url: webhookUrl.nullish(),
});

/** A field for each channel. */
function byChannel<Field extends z.ZodType>(field: Field) {
  return Object.fromEntries(CHANNELS.map((channel) => [channel, field])) as Record<Channel, Field>;
}

const NO_CHANNEL = `is no channel; channels: ${CHANNELS.join(', ')}`;

/** Yes or no to an event on single channels; null takes back what was said. */
const eventSwitches = z
  .strictObject(byChannel(z.boolean().nullish()), { error: ({ code }) => unrecognized(code, NO_CHANNEL) })
  .nullable()
  .meta({
    id: 'EventPreferencesChange',
    description:
      'Yes or no for one event. Null, for a channel or the whole, lets the switch of the channel hold again',
  });

const MOST_QUIET_MINUTES = 23 * 60;

const quietHours = z
  .strictObject(
    { from: timeOfDay, to: timeOfDay },
    { error: ({ code }) => unrecognized(code, 'is not a part of quiet hours, which have from and to') },
  )
  .superRefine((hours, context) => {
    const message = hours.from === hours.to ? 'must differ from from' : 'must leave an hour of the day';
    if (minutesIn(hours) > MOST_QUIET_MINUTES) context.addIssue({ code: 'custom', path: ['to'], message });
  })
  .meta({
    id: 'QuietHours',
    description:
      "When everything but the critical waits, by the clock in the person's time zone: from `from` until `to`, over midnight too, 23 hours at most",
  });

/** How long they last on an ordinary day; a whole day when they end when they begin. */
function minutesIn({ from, to }: QuietHours): number {
  const [begins = 0, ends = 0] = [from, to].map(
    (time) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3)),
  );
  return ends > begins ? ends - begins : ends - begins + 24 * 60;
}

const MOST_EVENTS = 500;

/** What a person wishes; what is left out stays as it is. */
export const preferencesBody = z
  .strictObject(
    {
      ...byChannel(z.boolean().optional()),
      events: z
        .record(externalId, eventSwitches, {
          error: ({ code }) => (code === 'invalid_key' ? 'is no name of an event' : undefined),
        })
        .refine(
          (events) => Object.keys(events).length <= MOST_EVENTS,
          `must have at most ${MOST_EVENTS} events`,
        )
        .optional()
        .meta({
          description: 'The same for single events, by event; it goes before the switch of the channel',
        }),
      quiet_hours: quietHours.nullish().meta({ description: 'Null for none' }),
    },
    {
      error: ({ code }) => unrecognized(code, `${NO_CHANNEL}; beside them there are events and quiet_hours`),
    },
  )
  .refine((wishes) => Object.keys(wishes).length > 0, 'must name at least one channel')
  .meta({ id: 'PreferencesChange', minProperties: 1 });

function unrecognized(code: string, message: string): string | undefined {
  return code === 'unrecognized_keys' ? message : undefined;
}

/** What a valid body changes. */
export function wishesIn(body: z.infer<typeof preferencesBody>): WishesChange {
  const { events, quiet_hours, ...channels } = body;
  return {
    preferences: Object.fromEntries(
      Object.entries(channels).filter((entry): entry is [string, boolean] => entry[1] !== undefined),
    ),
    eventPreferences:
      events === undefined
        ? undefined
        : Object.fromEntries(Object.entries(events).map(([event, given]) => [event, switchesIn(given)])),
    quietHours: quiet_hours,
  };
}

function switchesIn(given: z.infer<typeof eventSwitches>): Record<string, boolean | null> {
  if (given === null) return Object.fromEntries(CHANNELS.map((channel) => [channel, null]));
  return Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, boolean | null] => entry[1] !== undefined),
  );
}

/** One line of an import. */
export const importedPerson = personBody.extend({ id: externalId, preferences: preferencesBody.optional() });
export type ImportedPerson = z.infer<typeof importedPerson>;
