import { z } from 'zod';
import { isBaseUrl } from '../base-url.js';
import { readServiceAccount, type ServiceAccount } from './service-account.js';

const CREDENTIALS =
  'set it to the key file of a service account (Firebase console, Project settings, Service accounts), as a path or as its JSON';
const BASE = 'set it to an http:// or https:// URL without credentials and query, or leave it out';

/** What the FCM provider reads from the environment. */
export const fcmSettings = z.object({
  FCM_CREDENTIALS: z
    .string({ error: CREDENTIALS })
    .transform((text, context): ServiceAccount => {
      const account = readServiceAccount(text);
      if (account !== undefined) return account;
      context.addIssue({ code: 'custom', message: CREDENTIALS });
      return z.NEVER;
    })
    .meta({
      description: 'The key file of a service account of the Firebase project: its path, or its JSON.',
      secret: true,
    }),
  FCM_BASE_URL: z
    .string()
    .refine(isBaseUrl, BASE)
    .default('https://fcm.googleapis.com')
    .meta({ description: 'Where the API of FCM is, if not at Google itself: a proxy, the sandbox.' }),
});
