import { z } from 'zod';
import { CHANNELS } from '../domain/channel.js';
import { emailAddress, externalId, locale, phoneNumber, timezone, webhookUrl } from './fields.js';

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

/** Yes or no to channels; those that are left out stay as they are. */
export const preferencesBody = z
  .partialRecord(z.enum(CHANNELS, `must be one of ${CHANNELS.join(', ')}`), z.boolean())
  .refine((preferences) => Object.keys(preferences).length > 0, 'must name at least one channel')
  .meta({ id: 'PreferencesChange', minProperties: 1 });

/** One line of an import. */
export const importedPerson = personBody.extend({ id: externalId, preferences: preferencesBody.optional() });
export type ImportedPerson = z.infer<typeof importedPerson>;
