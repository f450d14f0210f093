import { z } from 'zod';
import { isBaseUrl } from '../base-url.js';

const SID = 'set it to the Account SID from the Twilio console: it begins with AC';
const TOKEN = 'set it to the Auth Token from the Twilio console';
const FROM =
  'set it to the sender: a phone number such as +15005550006, a messaging service (MG…), or a sender name of up to 11 letters and digits';
const BASE = 'set it to an http:// or https:// URL without credentials and query, or leave it out';

/** What the Twilio provider reads from the environment. */
export const twilioSettings = z.object({
  TWILIO_ACCOUNT_SID: z
    .string({ error: SID })
    .regex(/^AC[0-9a-z]{1,62}$/i, SID)
    .meta({ description: 'The Account SID from the Twilio console. It needs `TWILIO_AUTH_TOKEN` as well.' }),
  TWILIO_AUTH_TOKEN: z
    .string({ error: TOKEN })
    .regex(/^[\x21-\x7e]+$/, TOKEN)
    .meta({ description: 'The Auth Token from the Twilio console.', secret: true }),
  TWILIO_FROM: z
    .string({ error: FROM })
    .regex(/^(\+[1-9]\d{3,14}|MG[0-9a-f]{32}|(?=.*[a-z])[0-9a-z ]{1,11})$/i, FROM)
    .meta({
      description:
        'The sender: a phone number (E.164), the SID of a messaging service (MG…), or a sender name.',
    }),
  TWILIO_BASE_URL: z.string().refine(isBaseUrl, BASE).optional().meta({
    description:
      'Where the REST API is, if not at Twilio itself: a proxy, a region, the sandbox. Docker Compose has the sandbox, which reaches nobody, until `.env` has `TWILIO_BASE_URL=`.',
  }),
});
