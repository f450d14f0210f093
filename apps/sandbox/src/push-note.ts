import type { Request } from 'express';
import { z } from 'zod';

const note = z.object({
  title: z.string().optional(),
  body: z.string().optional(),
  delivery_id: z.string().optional(),
});

/** What a person would see of a payload, if it is JSON in the form that Belfry sends. */
export function noteIn(payload: string): z.output<typeof note> {
  try {
    return note.safeParse(JSON.parse(payload)).data ?? {};
  } catch {
    return {};
  }
}

/** The headers of a request; who may send is nobody's to see. */
export function headersOf(req: Request): Record<string, string> {
  return Object.fromEntries(
    Object.entries(req.headers).map(([name, value]) => [name, [value].flat().join('\n')]),
  );
}
