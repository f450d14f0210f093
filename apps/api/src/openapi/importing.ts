import { importedPerson } from '@belfry/shared/channels/person.js';
import { Refusal, refusalWith } from '@belfry/shared/domain/refusal.js';
import { z } from 'zod';
import { notWhole, tooSlow } from '../middleware/arrival.js';
import { notUnpackable, tooLarge } from '../middleware/lines.js';
import { MOST_REFUSED } from '../routes/import-report.js';
import { MOST_ERRORS } from '../routes/imported-line.js';
import { noLines } from '../routes/importing.js';
import { json, ndjson, type Operation } from './operation.js';
import { fieldError, invalidInput } from './problem.js';
import { ID, id } from './shapes.js';

const count = z.int().min(0);

const counts = z.object({
  import_id: id.meta({ description: 'In the audit trail: `import:<id>`' }),
  lines: count.meta({ description: 'Read so far; empty ones are passed over' }),
  imported: count.meta({ description: 'Created and updated; they are committed' }),
  created: count,
  updated: count,
  refused_count: count,
});

const refusedLine = z
  .object({
    line: z.int().min(1).meta({ description: 'Its number; empty lines count' }),
    id: z.string().optional().meta({ description: 'Of the person, where it could be read' }),
    errors: z.array(fieldError).min(1).max(MOST_ERRORS),
  })
  .meta({ id: 'RefusedLine', description: 'A line that was not taken.' });

const summary = counts
  .extend({
    refused: z
      .array(refusedLine)
      .max(MOST_REFUSED)
      .meta({ description: `The first ${MOST_REFUSED}` }),
    refused_omitted: count.meta({ description: 'Those that are not shown' }),
  })
  .meta({ id: 'Imported' });

const stoppedImport = invalidInput
  .extend(summary.partial().shape)
  .meta({ id: 'StoppedImport', description: 'What stopped an import, and how far it came (RFC 9457).' });

const told = z
  .discriminatedUnion('type', [
    refusedLine.extend({ type: z.literal('refused') }).meta({ description: 'At once, every one of them' }),
    counts.extend({ type: z.literal('progress') }).meta({ description: 'After each chunk' }),
    counts
      .extend({
        type: z.literal('summary'),
        complete: z.boolean(),
        problem: invalidInput.optional().meta({ description: 'What stopped it, when it is not complete' }),
      })
      .meta({ description: 'The last line' }),
  ])
  .meta({ id: 'ImportLine', description: 'One line about an import, as it happens.' });

const COUNTS = { import_id: ID, lines: 3, imported: 2, created: 1, updated: 1, refused_count: 1 };
const REFUSED = {
  line: 3,
  id: 'sara',
  errors: [{ path: 'email', message: 'must be an email address such as name@example.org' }],
};
const SUMMARY = { ...COUNTS, refused: [REFUSED], refused_omitted: 0 };

/** It was stopped: its refusal says how far it came. */
function stopped(refusal: Refusal): Refusal {
  return refusalWith(refusal, SUMMARY);
}

export const importing: Operation = {
  id: 'importPeople',
  method: 'post',
  path: '/api/v1/users/import',
  who: ['admin'],
  summary: 'Add or change many people',
  description:
    'A line of JSON for each person, an `ImportedPerson`; it does what a `PUT` would. A wrong line is refused by its number and harms no other. Up to 1 GB, compressed with gzip, deflate or br if you like. Lines are committed in chunks as they come, so whatever stops an import leaves what was committed, and doing the whole again is safe.\n\nWith `Accept: application/x-ndjson` the answer is a line for each thing as it happens, an `ImportLine`.',
  body: ndjson(
    importedPerson.meta({ id: 'ImportedPerson', unusedIO: 'input', description: 'One line of an import.' }),
    {
      people: [
        { id: 'abebe', email: 'abebe@example.com', locale: 'am', groups: ['tenants'] },
        {
          id: 'chaltu',
          phone: '+251911000001',
          preferences: { sms: true, quiet_hours: { from: '22:00', to: '07:00' } },
        },
      ],
    },
  ),
  answers: {
    200: {
      description: 'Read to its end',
      content: {
        ...json(summary, { summary: SUMMARY }),
        ...ndjson(told, {
          lines: [
            { type: 'refused', ...REFUSED },
            { type: 'summary', ...COUNTS, complete: true },
          ],
        }),
      },
    },
  },
  refusals: [
    noLines(),
    stopped(tooSlow()),
    stopped(tooLarge()),
    stopped(notWhole()),
    stopped(notUnpackable()),
    stopped(new Refusal('unavailable', 'The database cannot be reached.')),
  ],
  refused: stoppedImport,
};
