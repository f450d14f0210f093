import { z } from 'zod';
import { CHANNELS, type Channel } from '../domain/channel.js';
import { amount, currency, optionalText, text } from './variables.js';

/** What a `manifest.js` declares about its event. */
export interface Manifest {
  /** A whole number from 1, raised whenever the wording or the variables change; kept in the ledger with what was sent. */
  readonly version: number;
  /** The event's name for people. */
  readonly title?: string | undefined;
  /** The channels that the event adds to the default routing. */
  readonly channels: readonly Channel[];
  /** Nobody can switch the event off on its `channels`. For what people must be told, such as a change of their lease. */
  readonly mandatory?: boolean | undefined;
  /** One message tells a person of several; not for what is critical or has an `expires_at`. */
  readonly digest?: Digest | undefined;
  /** How often a person is told; the critical is not held back. */
  readonly limit?: Limit | undefined;
  /**
   * The context that the event needs. Parsing its own output must give the same output again, because a context
   * is parsed when it is accepted and once more when it is rendered.
   */
  readonly variables: z.ZodObject;
}

/** What comes within a window is gathered and told in one message, on each channel. */
export interface Digest {
  /** How long the first one waits for others, in minutes: 1 to 1380. */
  readonly window_minutes: number;
  /** How many are told at once, 2 to 50; the window ends when there are so many. */
  readonly most: number;
}

export interface Limit {
  /** Notifications that go out to one person within any 60 minutes: 1 to 1000. */
  readonly per_hour: number;
}

/** What a manifest is given, so that it needs no import and works in whatever folder it lies. */
const MANIFEST_KIT = { z, text, optionalText, amount, currency } as const;
export type ManifestKit = typeof MANIFEST_KIT;

/** The default export of a `manifest.js`: a manifest, or a function of the kit that returns one. */
export type ManifestExport = Manifest | ((kit: ManifestKit) => Manifest);

/** Names that every template can read besides its event's variables; an event cannot declare them. */
export const BUILT_IN = ['at', 'direction', 'language', 'locale', 'subject', 'timezone'] as const;

const Shape = z.object({
  version: z.number().int().min(1),
  title: z.string().min(1).optional(),
  channels: z.array(z.enum(CHANNELS)).default([]),
  mandatory: z.boolean().default(false),
  digest: z
    .strictObject({
      window_minutes: z
        .int()
        .min(1)
        .max(23 * 60),
      most: z.int().min(2).max(50),
    })
    .optional(),
  limit: z.strictObject({ per_hour: z.int().min(1).max(1_000) }).optional(),
  variables: z.instanceof(z.ZodObject, { error: 'must be made by z.object({…})' }),
});

/** Reads what a `manifest.js` exports; a string says what is wrong with it. */
export function readManifest(exported: unknown): Manifest | string {
  const declared = typeof exported === 'function' ? callManifest(exported) : exported;
  if (typeof declared === 'string') return declared;
  const parsed = Shape.safeParse(declared);
  if (!parsed.success) {
    return parsed.error.issues
      .map((issue) => `${issue.path.join('.') || 'the export'}: ${issue.message}`)
      .join('; ');
  }
  if (parsed.data.mandatory && parsed.data.channels.length === 0)
    return 'mandatory: on which channels? Name them in `channels`';
  if (parsed.data.mandatory && (parsed.data.digest ?? parsed.data.limit) !== undefined)
    return 'mandatory: what people must be told is not held back; leave out digest and limit';
  const taken = BUILT_IN.filter((name) => name in parsed.data.variables.shape);
  if (taken.length > 0)
    return `variables: ${taken.join(', ')} already means something in every template; rename it`;
  return { ...parsed.data, channels: [...new Set(parsed.data.channels)] };
}

function callManifest(make: CallableFunction): unknown {
  try {
    return make(MANIFEST_KIT);
  } catch (error) {
    return `the exported function threw: ${error instanceof Error ? error.message : String(error)}`;
  }
}
