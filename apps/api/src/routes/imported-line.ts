import { isUtf8 } from 'node:buffer';
import { importedPerson } from '@belfry/shared/channels/person.js';
import type { FieldError } from '@belfry/shared/domain/refusal.js';
import type { PersonWrite } from '@belfry/shared/ledger/write-people.js';
import type { Catalogue } from '@belfry/shared/templates/catalogue.js';
import { unsafeIn } from '../middleware/body.js';
import type { Line } from '../middleware/lines.js';
import { read } from '../middleware/parse.js';
import { changeOf } from './person-shape.js';
import { unknownEventsIn } from './wished-events.js';

/** A line longer than this is refused without being read. */
export const LONGEST_LINE = 64 * 1024;
export const MOST_ERRORS = 10;
const LONGEST_TEXT = 200;

/** A line that was not taken, and everything that is wrong with it. */
export interface RefusedLine {
  readonly line: number;
  /** Only where it can be read. */
  readonly id?: string;
  readonly errors: readonly FieldError[];
}

/** What a line of an import says: a person, or why it says none. */
export type LineRead =
  | { readonly kind: 'person'; readonly person: PersonWrite }
  | { readonly kind: 'refused'; readonly refused: RefusedLine };

/** Reads one line by the rules for a body of `PUT /users/{id}`; it harms no other whatever is in it. */
export function readLine({ number, bytes }: Line, catalogue: Catalogue): LineRead {
  if (bytes === null) return refused(number, `must have at most ${LONGEST_LINE} bytes`);
  if (!isUtf8(bytes)) return refused(number, 'must be UTF-8');
  const value = parsed(bytes.toString());
  if (value === undefined) return refused(number, 'must be a JSON object');
  const unsafe = unsafeIn(value);
  if (unsafe !== null) return refusedFor(number, value, [unsafe]);
  const result = read(importedPerson, value);
  if (!result.ok) return refusedFor(number, value, result.errors);
  const unknown = unknownEventsIn(result.value.preferences ?? {}, catalogue);
  if (unknown.length > 0)
    return refusedFor(
      number,
      value,
      unknown.map(({ path, message }) => ({ path: `preferences.${path}`, message })),
    );
  return { kind: 'person', person: { id: result.value.id, change: changeOf(result.value) } };
}

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function refused(line: number, message: string): LineRead {
  return { kind: 'refused', refused: { line, errors: [{ path: '', message }] } };
}

function refusedFor(line: number, value: object, errors: readonly FieldError[]): LineRead {
  const id = importedPerson.shape.id.safeParse(Reflect.get(value, 'id'));
  return {
    kind: 'refused',
    refused: {
      line,
      ...(id.success ? { id: id.data } : {}),
      // Bounded, since a line may be wrong in a thousand places, and a name in it as long as the line.
      errors: errors
        .slice(0, MOST_ERRORS)
        .map(({ path, message }) => ({ path: shortened(path), message: shortened(message) })),
    },
  };
}

function shortened(text: string): string {
  return text.slice(0, LONGEST_TEXT).toWellFormed();
}
