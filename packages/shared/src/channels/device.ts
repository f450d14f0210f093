import { ECDH } from 'node:crypto';
import { z } from 'zod';

/** Characters of an address. */
const MOST = 2_048;
const BASE64URL = /^[A-Za-z0-9_-]+={0,2}$/;

const A_POINT = 'must be a public key as the browser gives it: 65 bytes of a point on P-256, in base64url';

/** The key of a push subscription (RFC 8291 §2.1): an uncompressed point on the curve. */
const p256dh = z
  .string()
  .max(90, A_POINT)
  .refine((text) => {
    const bytes = bytesOf(text);
    if (bytes?.length !== 65 || bytes[0] !== 4) return false;
    try {
      return ECDH.convertKey(bytes, 'prime256v1').length > 0;
    } catch {
      return false;
    }
  }, A_POINT)
  .meta({ description: 'The key `p256dh` of the subscription: 65 bytes, base64url' });

const A_SECRET = 'must be a secret as the browser gives it: 16 bytes in base64url';

/** The authentication secret of a push subscription (RFC 8291 §3.2). */
const auth = z
  .string()
  .max(26, A_SECRET)
  .refine((text) => bytesOf(text)?.length === 16, A_SECRET)
  .meta({ description: 'The key `auth` of the subscription: 16 bytes, base64url' });

const AN_ENDPOINT =
  'must be the https:// URL that the browser gives, without credentials and without a fragment';

const endpoint = z
  .string()
  .max(MOST, `must have at most ${MOST} characters`)
  .regex(/^https:\/\/[^\s\p{Cc}#]+$/iu, { error: AN_ENDPOINT, abort: true })
  .transform((text, context) => {
    const url = URL.parse(text);
    // Its usual spelling may be longer, and the ledger's index takes no more.
    if (url !== null && url.username === '' && url.password === '' && url.href.length <= MOST)
      return url.href;
    context.addIssue({ code: 'custom', message: AN_ENDPOINT });
    return z.NEVER;
  })
  .meta({ description: 'Where the push service takes messages for this browser', format: 'uri' });

const A_TOKEN = 'must be the registration token that Firebase gives the app, without spaces';

const token = z
  .string()
  .max(MOST, `must have at most ${MOST} characters`)
  .regex(/^[\x21-\x7e]{8,}$/, A_TOKEN)
  .meta({ description: 'The registration token that Firebase gives the app' });

/** A device as its app registers it: what `PushManager.subscribe` gives in a browser, or Firebase's registration token. */
export const deviceBody = z
  .discriminatedUnion(
    'platform',
    [
      z.object({
        platform: z.literal('web'),
        subscription: z
          .object({ endpoint, keys: z.object({ p256dh, auth }) })
          .meta({ description: 'A `PushSubscription`, as `JSON.stringify` writes it' }),
      }),
      z.object({ platform: z.enum(['ios', 'android']), token }),
    ],
    'must be one of web, ios, android',
  )
  .meta({ id: 'DeviceRegistration', description: 'What an app knows of the device it runs on.' });
export type DeviceBody = z.infer<typeof deviceBody>;

/** Which device is to be forgotten, by what its app knows of it. Nothing of it means all of the person's. */
export const deviceChoice = z
  .object({
    endpoint: endpoint.optional(),
    token: token.optional(),
    subscription: z.object({ endpoint }).optional().meta({ description: 'As it was registered' }),
  })
  .meta({ id: 'DeviceChoice' });

/** The bytes that a text says in base64url, with or without its padding; undefined for any other text. */
function bytesOf(text: string): Buffer | undefined {
  return BASE64URL.test(text) ? Buffer.from(text, 'base64url') : undefined;
}
