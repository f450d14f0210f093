import { type ImportedPerson, type personBody, wishesIn } from '@belfry/shared/channels/person.js';
import type { Wishes } from '@belfry/shared/domain/wishes.js';
import type { Person } from '@belfry/shared/ledger/people.js';
import type { PersonChange } from '@belfry/shared/ledger/write-people.js';
import { effectivePreferences } from '@belfry/shared/routing/preferences.js';
import type { z } from 'zod';

/** What a valid body changes. */
export function changeOf(
  body: z.infer<typeof personBody> & Pick<ImportedPerson, 'preferences'>,
): PersonChange {
  const { email, phone, locale, timezone, roles, active, groups, preferences, webhook_url } = body;
  const wishes = preferences === undefined ? {} : wishesIn(preferences);
  return { email, phone, locale, timezone, roles, active, groups, webhookUrl: webhook_url, ...wishes };
}

/** Wishes as callers see them: every channel with what holds for it, and of events what was said. */
export function shownWishes({ preferences, eventPreferences, quietHours }: Wishes) {
  // PostgreSQL keeps the fields in an order of its own.
  const quiet_hours = quietHours && { from: quietHours.from, to: quietHours.to };
  return { ...effectivePreferences(preferences), events: eventPreferences, quiet_hours };
}

/** A person as callers see them; a list leaves the groups out. */
export function shownPerson(person: Omit<Person, 'groups'> & { groups?: readonly string[] }) {
  const { id, email, phone, roles, active, groups, createdAt, updatedAt } = person;
  return {
    id,
    email,
    phone,
    locale: person.locale,
    timezone: person.timezone,
    roles,
    active,
    ...(groups === undefined ? {} : { groups }),
    webhook_url: person.webhookUrl,
    created_at: createdAt,
    updated_at: updatedAt,
  };
}
