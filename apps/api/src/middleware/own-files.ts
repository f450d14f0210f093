import type { RequestHandler } from 'express';
import helmet, { type HelmetOptions } from 'helmet';

/** Everything comes from here and goes here; nothing frames the page, and no form is sent. */
const OWN_FILES = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'"],
  connectSrc: ["'self'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
} as const;

/**
 * The headers of a page that lives on its own files: no script or style of anybody else runs in it, and it asks nobody else.
 *
 * @param more directives in the place of those, for a page that needs more; @param others what else is stricter there.
 */
export function ownFilesOnly(
  more: Readonly<Record<string, readonly string[]>> = {},
  others: Pick<HelmetOptions, 'xFrameOptions' | 'referrerPolicy'> = {},
): RequestHandler {
  return helmet({
    ...others,
    contentSecurityPolicy: { useDefaults: false, directives: { ...OWN_FILES, ...more } },
  });
}
