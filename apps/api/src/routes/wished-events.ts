import type { preferencesBody } from '@belfry/shared/channels/person.js';
import type { FieldError } from '@belfry/shared/domain/refusal.js';
import type { Catalogue } from '@belfry/shared/templates/catalogue.js';
import type { z } from 'zod';

/**
 * The events in a body that there are not, each as what is wrong with it: a wish under a wrong name would never be heard.
 * What was said of an event that has been removed since can be taken back.
 */
export function unknownEventsIn(
  { events = {} }: Pick<z.infer<typeof preferencesBody>, 'events'>,
  catalogue: Catalogue,
): FieldError[] {
  return Object.entries(events)
    .filter(([event, given]) => given !== null && catalogue.find(event) === undefined)
    .map(([event]) => ({ path: `events.${event}`, message: unknown(event, catalogue) }));
}

function unknown(event: string, catalogue: Catalogue): string {
  const known = catalogue.events().map(({ name }) => name);
  return `There is no event "${event}". Events: ${known.join(', ')}.`;
}
