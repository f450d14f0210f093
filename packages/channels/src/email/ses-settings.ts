import { z } from 'zod';
import { isBaseUrl } from '../base-url.js';
import { mailFrom } from './mail-from.js';

const REGION = 'set it to the region in which SES is set up, such as eu-west-1';
const BASE = 'set it to an http:// or https:// URL without credentials and query, or leave it out';
const KEY = 'set it to what IAM gave with the key; it has no spaces';

/** What the SES provider reads from the environment. */
export const sesSettings = z
  .object({
    AWS_REGION: z
      .string({ error: REGION })
      .regex(/^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/, REGION)
      .meta({ description: 'The AWS region in which SES is set up. By itself it switches nothing on.' }),
    AWS_ACCESS_KEY_ID: key('The id of an access key that may call ses:SendEmail and ses:SendRawEmail.'),
    AWS_SECRET_ACCESS_KEY: key('The secret of that access key.', true),
    AWS_SESSION_TOKEN: key('Only with temporary keys: the session token that came with them.', true),
    SES_CREDENTIALS: z.enum(['chain'], 'set it to chain, or leave it out').optional().meta({
      description:
        'With the value chain: instead of keys, what the AWS SDK finds by itself, such as the role of the container or machine. Switches SES on.',
    }),
    SES_ENDPOINT: z
      .string()
      .refine(isBaseUrl, BASE)
      .optional()
      .meta({ description: 'Where the SES API is, if not at AWS itself: a VPC endpoint, the sandbox.' }),
    MAIL_FROM: mailFrom,
  })
  .superRefine(withCredentials, { when: () => true });

function key(description: string, secret = false) {
  return z
    .string()
    .regex(/^[\x21-\x7e]+$/, KEY)
    .optional()
    .meta({ description, ...(secret ? { secret } : {}) });
}

/** Both halves of a key, or the SDK's own search; never half of something. */
function withCredentials(
  settings: { AWS_ACCESS_KEY_ID?: unknown; AWS_SECRET_ACCESS_KEY?: unknown; SES_CREDENTIALS?: unknown },
  context: z.RefinementCtx,
): void {
  if (settings.SES_CREDENTIALS !== undefined) return;
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const) {
    if (settings[name] !== undefined) continue;
    context.addIssue({
      code: 'custom',
      path: [name],
      message: 'set it to that half of the access key, or set SES_CREDENTIALS=chain to send with a role',
    });
  }
}
