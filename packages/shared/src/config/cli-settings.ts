import { z } from 'zod';
import { url } from './fields.js';
import { apiFields, fleetFields } from './settings.js';

/** The settings of `npm run belfry` alone. */
export const cliFields = {
  BELFRY_URL: url('http:', 'https:')
    .optional()
    .describe(
      'Where the API is. Without it: the installation that `npm start` runs here, or 127.0.0.1 at PORT.',
    ),
  BELFRY_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'must be a token, without line breaks or blanks')
    .optional()
    .meta({
      description:
        'Whom the API sees. Without it an Admin token is made from JWT_SECRET, where there is one.',
      secret: true,
    }),
} as const;

/** All that `npm run belfry` reads; what it needs to make a token is optional, for it may be given one. */
export const cliSettings = z.object({
  ...cliFields,
  PORT: apiFields.PORT,
  JWT_SECRET: apiFields.JWT_SECRET,
  ALGORITHM: apiFields.ALGORITHM,
  JWT_ISSUER: apiFields.JWT_ISSUER,
  JWT_AUDIENCE: apiFields.JWT_AUDIENCE,
  ACCESS_TOKEN_EXPIRE_MINUTES: apiFields.ACCESS_TOKEN_EXPIRE_MINUTES,
  TEMPLATES_DIR: fleetFields.TEMPLATES_DIR,
});
export type CliSettings = z.infer<typeof cliSettings>;
