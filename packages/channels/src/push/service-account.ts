import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { isBaseUrl } from '../base-url.js';

/** What is read of the key file of a Google service account. */
const keyFile = z.object({
  type: z.literal('service_account'),
  project_id: z.string().regex(/^[a-z0-9:.-]{1,64}$/),
  private_key_id: z
    .string()
    .regex(/^[\x21-\x7e]{1,128}$/)
    .optional(),
  private_key: z.string().refine((pem) => isKey(pem)),
  client_email: z.string().regex(/^[\x21-\x7e]{3,320}$/),
  token_uri: z.string().refine(isBaseUrl).default('https://oauth2.googleapis.com/token'),
});

/** A service account of the Firebase project. */
export type ServiceAccount = z.output<typeof keyFile>;

/** Reads a service account out of its key file, or out of that file's text. Undefined when it is none. */
export function readServiceAccount(pathOrText: string): ServiceAccount | undefined {
  try {
    const text = pathOrText.trimStart().startsWith('{') ? pathOrText : readFileSync(pathOrText, 'utf8');
    return keyFile.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function isKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}
