import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { apiDocument, type Components, type Schema } from './operations.js';

/** `sent` may have more fields than are described; what is `answered` may not. */
export type Direction = 'sent' | 'answered';

/** What is wrong with a value by a schema of the document, a line each. Schemas are compiled once, when they are first needed. */
export function wrongWith(value: unknown, schema: Schema, direction: Direction): string[] {
  const compiled = cache[direction];
  let validate = compiled.get(schema);
  if (validate === undefined) {
    const root = direction === 'sent' ? schema : closed(schema);
    validate = ajv().compile({ components: components(direction), allOf: [root] });
    compiled.set(schema, validate);
  }
  return validate(value) ? [] : (validate.errors ?? []).map(worded);
}

const cache: Readonly<Record<Direction, Map<Schema, ValidateFunction>>> = {
  sent: new Map(),
  answered: new Map(),
};

let made: Ajv2020 | undefined;

function ajv(): Ajv2020 {
  if (made === undefined) {
    // Not strict: `components` and `example` are no keywords of JSON Schema.
    made = new Ajv2020({ allErrors: true, strict: false, discriminator: false });
    addFormats.default(made);
  }
  return made;
}

let closedComponents: Components | undefined;

function components(direction: Direction): Components {
  if (direction === 'sent') return apiDocument().components;
  closedComponents ??= closed(apiDocument().components);
  return closedComponents;
}

/** The same schema, where an object that lists its fields has no others. */
function closed<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(closed) as Value;
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, closed(inner)]));
  const shut = copy.type === 'object' && 'properties' in copy && !('additionalProperties' in copy);
  return (shut ? { ...copy, additionalProperties: false } : copy) as Value;
}

function worded({ instancePath, message, params }: ErrorObject): string {
  const named = Object.values(params).filter((value) => typeof value === 'string');
  return `${instancePath || 'the whole'} ${message}${named.length > 0 ? ` (${named.join(', ')})` : ''}`;
}
