import { z } from 'zod';
import { type AddressRange, parseRange } from './address-range.js';

const ADDRESSES =
  'set it to addresses or ranges with spaces between, such as 10.1.2.3, 10.1.0.0/16 or [fd00::1]:8080, or leave it out';

/** The setting that opens addresses inside the operator's own network. */
export function allowedAddresses(description: string) {
  return z
    .string()
    .transform((text, context): readonly AddressRange[] => {
      const ranges = text
        .split(/[\s,]+/)
        .filter((one) => one !== '')
        .map(parseRange);
      if (ranges.every((range) => range !== undefined)) return ranges;
      context.addIssue({ code: 'custom', message: ADDRESSES });
      return z.NEVER;
    })
    .optional()
    .meta({ description });
}
