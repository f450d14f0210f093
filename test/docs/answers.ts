import assert from 'node:assert/strict';

/*
 * Placeholders of a documented answer: `<id>` a UUID, `<time>` an instant in ISO 8601, `<number>` a number, `<day>` and
 * `<clock>` a local time, `<name>` a word. In an object
 * `"…": "…"` stands for further fields; without it the fields must be exactly those that are shown.
 */
const PLACEHOLDERS: Readonly<Record<string, RegExp>> = {
  '<id>': /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/,
  '<time>': /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/,
  '<number>': /\d+(\.\d+)?/,
  '<day>': /\d{4}-\d\d-\d\d/,
  '<clock>': /\d\d:\d\d:\d\d/,
  '<name>': /\S+/,
};
const MORE = '…';

/** Fails unless the JSON that came is what the document shows. */
export function assertJson(came: string, documented: string): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(came);
  } catch {
    assert.fail(`no JSON came, but: ${came}`);
  }
  const problems = [...differences(parsed, JSON.parse(documented), 'answer')];
  assert.deepEqual(problems, [], `came: ${JSON.stringify(parsed, null, 2)}`);
}

/** Fails unless the text that came is what the document shows; runs of blanks and blank lines count as one. */
export function assertText(came: string, documented: string): void {
  const lines = (text: string) =>
    text
      .split('\n')
      .map((line) => line.trim().replace(/\s+/g, ' '))
      .filter(Boolean);
  const [is, shown] = [lines(came), lines(documented)];
  const fits =
    is.length === shown.length && shown.every((line, index) => patternOf(line).test(is[index] ?? ''));
  assert.ok(fits, `came:\n${is.join('\n')}\ndocumented:\n${shown.join('\n')}`);
}

function* differences(came: unknown, shown: unknown, path: string): Generator<string> {
  if (typeof shown === 'string' || shown === null || typeof shown !== 'object') {
    const same =
      typeof shown === 'string' && shown !== '' ? patternOf(shown).test(String(came)) : came === shown;
    if (!same) yield `${path} is ${JSON.stringify(came)}, documented as ${JSON.stringify(shown)}`;
    return;
  }
  const [has, wants] = [fieldsOf(came), fieldsOf(shown)];
  const open = wants.delete(MORE);
  for (const [name, value] of wants) {
    if (has.has(name)) yield* differences(has.get(name), value, `${path}.${name}`);
    else yield `${path}.${name} is documented and was not there`;
  }
  if (open) return;
  for (const name of has.keys())
    if (!wants.has(name)) yield `${path}.${name} was there and is not documented`;
}

function fieldsOf(value: unknown): Map<string, unknown> {
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

function patternOf(shown: string): RegExp {
  const escaped = shown.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const filled = Object.entries(PLACEHOLDERS).reduce(
    (text, [placeholder, pattern]) => text.replaceAll(placeholder, pattern.source),
    escaped,
  );
  return new RegExp(`^${filled}$`, 's');
}
