import { UsageError } from '../failure.js';

/** The options of `send` that end up in the body of the call. */
export interface SendOptions {
  readonly message?: string;
  readonly title?: string;
  readonly type?: string;
  readonly context?: string;
  readonly data?: string;
  readonly priority?: string;
  readonly channel?: readonly string[];
}

/**
 * What is sent, from what was typed. After the event, the context is `name=value` words: a value that is written like a
 * number is one, `name:=value` takes any JSON (so `code:="007"` is a text), and a word that begins with `{` is a whole
 * JSON object.
 */
export function bodyOf(
  user: string,
  event: string | undefined,
  words: readonly string[],
  options: SendOptions,
) {
  if ((event === undefined) === (options.message === undefined))
    throw new UsageError(
      'Give either an event or a --message.',
      'For example: belfry send abebe -m "The water is back."',
    );
  const context = contextOf(words, options.context);
  return {
    user_id: user,
    ...(event === undefined ? {} : { event_type: event, context }),
    ...given('message', options.message),
    ...given('title', options.title),
    ...given('type', options.type),
    ...given('priority', options.priority),
    ...(options.channel === undefined ? {} : { channels: options.channel }),
    ...(options.data === undefined ? {} : { data: objectIn(options.data, '--data') }),
  };
}

/** The context that is written as words and as a JSON object; a word wins over the object. */
export function contextOf(words: readonly string[], json?: string): Record<string, unknown> {
  const context = json === undefined ? {} : { ...objectIn(json, '--context') };
  for (const word of words) {
    if (word.startsWith('{')) Object.assign(context, objectIn(word, 'the context'));
    else {
      const [, name, operator, value = ''] = /^([^=:]+)(:?=)([\s\S]*)$/.exec(word) ?? [];
      if (name === undefined)
        throw new UsageError(
          `"${word}" is not part of a context.`,
          'Write it as name=value, name:=JSON, or one JSON object.',
        );
      // Not by assignment: a name may be __proto__.
      Object.defineProperty(context, name, {
        value: operator === ':=' ? jsonIn(value, name) : plain(value),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
  }
  return context;
}

/** A number only where writing it again gives the same text: `007` and a phone number stay texts. */
function plain(value: string): string | number {
  const number = Number(value);
  return value !== '' && Number.isFinite(number) && String(number) === value ? number : value;
}

function given<Name extends string>(name: Name, value: string | undefined): Partial<Record<Name, string>> {
  return value === undefined ? {} : ({ [name]: value } as Record<Name, string>);
}

function objectIn(text: string, where: string): Record<string, unknown> {
  const value = jsonIn(text, where);
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new UsageError(`${where} is not a JSON object.`);
}

function jsonIn(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${where} is not JSON.`);
  }
}
