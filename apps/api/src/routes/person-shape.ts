import type { ImportedPerson, personBody } from '@belfry/shared/channels/person.js';
import type { Person } from '@belfry/shared/ledger/people.js';
import type { PersonChange } from '@belfry/shared/ledger/write-people.js';
import type { z } from 'zod';

/** What a valid body changes. */
export function changeOf(
  body: z.infer<typeof personBody> & Pick<ImportedPerson, 'preferences'>,
): PersonChange {
  const { email, phone, locale, timezone, roles, active, groups, preferences, webhook_url } = body;
  return { email, phone, locale, timezone, roles, active, groups, preferences, webhookUrl: webhook_url };
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
