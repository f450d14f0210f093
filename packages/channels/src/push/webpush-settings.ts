import { createECDH, ECDH } from 'node:crypto';
import { z } from 'zod';
import { allowedAddresses } from '../webhook/allowed-addresses.js';

const SUBJECT = 'set it to where push services can reach you: mailto:ops@example.org or an https:// URL';
const PUBLIC = 'set it to the public key that npm run vapid printed';
const PRIVATE = 'set it to the private key that npm run vapid printed';

/** What the Web Push provider reads from the environment. */
export const webpushSettings = z
  .object({
    VAPID_SUBJECT: z.string({ error: SUBJECT }).refine(isSubject, SUBJECT).meta({
      description: 'Where push services can reach you when something is wrong: mailto:… or an https:// URL.',
    }),
    VAPID_PUBLIC_KEY: z.string({ error: PUBLIC }).refine(isPublicKey, PUBLIC).meta({
      description:
        'The public VAPID key (RFC 8292), as npm run vapid prints it. Browsers subscribe with it, as applicationServerKey.',
    }),
    VAPID_PRIVATE_KEY: z
      .string({ error: PRIVATE })
      .refine((key) => publicKeyOf(key) !== undefined, PRIVATE)
      .meta({ description: 'The private key that belongs to it.', secret: true }),
    PUSH_ALLOW_ADDRESSES: allowedAddresses(
      'Push services inside your own network that may be reached on any port, such as 10.1.2.3, 10.1.0.0/16 or [fd00::1]:8080 (one port).',
    ),
  })
  .superRefine(belongTogether, { when: ({ issues }) => issues.length === 0 });

function isSubject(text: string): boolean {
  if (/^mailto:[^\s@]+@[^\s@]+$/.test(text)) return true;
  return URL.parse(text)?.protocol === 'https:' && /^[\x21-\x7e]+$/.test(text);
}

function isPublicKey(text: string): boolean {
  const bytes = bytesOf(text);
  if (bytes?.length !== 65 || bytes[0] !== 4) return false;
  try {
    return ECDH.convertKey(bytes, 'prime256v1').length > 0;
  } catch {
    return false;
  }
}

function publicKeyOf(privateKey: string): string | undefined {
  const bytes = bytesOf(privateKey);
  if (bytes?.length !== 32) return undefined;
  try {
    const curve = createECDH('prime256v1');
    curve.setPrivateKey(bytes);
    return curve.getPublicKey('base64url');
  } catch {
    return undefined;
  }
}

/** The web-push library takes keys without padding only. */
function bytesOf(text: string): Buffer | undefined {
  return /^[A-Za-z0-9_-]+$/.test(text) ? Buffer.from(text, 'base64url') : undefined;
}

function belongTogether(
  settings: { VAPID_PUBLIC_KEY: string; VAPID_PRIVATE_KEY: string },
  context: z.RefinementCtx,
): void {
  if (publicKeyOf(settings.VAPID_PRIVATE_KEY) === settings.VAPID_PUBLIC_KEY) return;
  const message = 'set it to the key that belongs to VAPID_PUBLIC_KEY; npm run vapid prints both';
  context.addIssue({ code: 'custom', path: ['VAPID_PRIVATE_KEY'], message });
}
