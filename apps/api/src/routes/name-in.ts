import { externalId } from '@belfry/shared/channels/fields.js';
import type { Request } from 'express';
import { z } from 'zod';
import { parse } from '../middleware/parse.js';

/** The `:name` of a path, such as that of a policy. Throws a refusal (422) for what can be nobody's. */
export function nameIn(req: Request): string {
  return parse(z.object({ name: externalId }), { name: req.params.name }).name;
}
