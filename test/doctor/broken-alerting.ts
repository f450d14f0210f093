import type { Case } from './parts.js';

/** What can be wrong with how alerts are acknowledged. */
export const BROKEN_ALERTING: readonly Case[] = [
  [
    'no PUBLIC_URL',
    () => ({ PUBLIC_URL: '', SMS_ANSWERS: '' }),
    'warning',
    /PUBLIC_URL is not set/,
    /where people reach the API/,
  ],
  [
    'nothing to sign links with',
    () => ({ ALGORITHM: 'RS256', JWKS_URL: 'https://id.test/keys', JWT_SECRET: '' }),
    'warning',
    /Nothing is there to sign links with/,
    /LINK_SECRET/,
  ],
  [
    'answers to a sender that is a name',
    () => ({ TWILIO_FROM: 'Belfry' }),
    'warning',
    /nobody can answer a name/,
    /SMS_ANSWERS to off/,
  ],
  [
    'answers by text message without an address',
    () => ({ PUBLIC_URL: '' }),
    'error',
    /PUBLIC_URL is required with SMS_ANSWERS=on/,
    /where people reach the API/,
  ],
  [
    'nobody who hears that it does not work',
    () => ({ OPERATOR_EMAIL: '' }),
    'warning',
    /Nobody hears of it when alerts are not escalated/,
    /DEADMAN_URL .* OPERATOR_EMAIL/,
  ],
];
