import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TOPICS } from '@belfry/api/openapi/topics.js';
import { z } from 'zod';
import { operations, type Schema } from '../support/api-document/operations.js';
import { wrongWith } from '../support/api-document/schemas.js';

/** Right for one field or the other, and wrong for most. */
const VALUES: readonly unknown[] = [
  ...[null, true, 0, 7, -1, 1.5, 1e13, '', ' ', 'x', 'x'.repeat(2_000), 'x'.repeat(200_001)],
  ...[
    '\u0000',
    'a\r\nb',
    'a b',
    'a@b',
    'a@example.org',
    '+251',
    '+251911000001',
    'en',
    'no_tag',
    'UTC',
    '+03:00',
  ],
  ...[
    'critical',
    'urgent',
    'sms',
    'not a time',
    '1800000000',
    '2027-01-01T00:00:00Z',
    '2027-02-30T00:00:00Z',
  ],
  ...['2027-01-01', '2000-01-01T00:00:00Z', '2999-01-01T00:00:00Z'],
  ...[[], [null], ['sms'], ['sms', 'sms', 'sms', 'sms', 'sms', 'sms'], ['a', 7], Array(1_001).fill('x')],
  ...[{}, { a: 1 }, { sms: true }],
];

/** What JSON Schema cannot say: these rules are only in the descriptions. */
const BEYOND = [
  /control characters/,
  /BCP 47/,
  /IANA/,
  /^must be a time: /, // a day that no month has
  /two years away/,
  /must be after send_at/,
  /word of 900/,
  /required while it is firing/,
  /all repetitions would come at once/,
  /required for turns of a day or a week/,
  /at most 366 days after/,
  /must name somebody/,
  /must be after starts_at/,
];

/** What is sent as JSON, whole or as lines. */
const BODIES = TOPICS.flatMap((topic) => topic.operations).flatMap((operation) =>
  Object.entries(operation.body ?? {}).map(([media, { schema, examples, lines }]) => ({
    id: operation.id,
    media,
    schema: lines ?? schema,
    examples: Object.values(examples).flatMap((example) =>
      lines === undefined
        ? [example]
        : String(example)
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line)),
    ),
  })),
);

describe('a body of a request', () => {
  test('is described for every call that takes one', () => assert.ok(BODIES.length >= 8));

  for (const { id, media, schema, examples } of BODIES)
    test(`of ${id} is allowed by the document when it is accepted, and hardly ever else`, () => {
      const described = describedBody(id, media);
      let refused = 0;
      for (const body of variations(schema, examples)) {
        const { success, error } = schema.safeParse(body);
        const wrong = wrongWith(body, described, 'sent');
        const shown = JSON.stringify(body).slice(0, 200);
        if (success) assert.deepEqual(wrong, [], `accepted, and not allowed: ${shown}`);
        else if (wrong.length === 0)
          for (const { message } of error.issues)
            assert.ok(
              BEYOND.some((rule) => rule.test(message)),
              `allowed, and refused as ${message}: ${shown}`,
            );
        else refused += 1;
      }
      assert.ok(refused > 20, `${refused} were refused by both`);
    });
});

function describedBody(id: string, media: string): Schema {
  const found = operations().find(({ operation }) => operation.operationId === id);
  const content = found?.operation.requestBody?.content[media];
  assert.ok(content);
  return content['x-lines'] ?? content.schema;
}

/** Every example; with each of its fields, and each that it could have, left out and with every value in its place. */
function* variations(schema: z.ZodType, examples: readonly unknown[]): Generator<unknown> {
  yield* VALUES;
  for (const example of examples) {
    yield example;
    const fields = { ...(schema instanceof z.ZodObject ? schema.shape : {}), ...Object(example) };
    for (const field of Object.keys(fields)) {
      const { [field]: given, ...rest } = Object(example);
      yield rest;
      for (const value of VALUES) yield { ...rest, [field]: value };
      // the items of a batch, each on its own
      if (Array.isArray(given) && typeof given[0] === 'object')
        for (const name of Object.keys(given[0]))
          for (const value of VALUES) yield { ...rest, [field]: [{ ...given[0], [name]: value }] };
    }
  }
}
