import type { z } from 'zod';
import type { Channel } from '../domain/channel.js';
import type { ContentOf, EmailContent, NoteContent, SmsContent } from '../domain/message.js';
import type { Catalogue } from './catalogue.js';
import { type CheckedContext, checkContext } from './context-check.js';
import { type Limits, run } from './engine.js';
import type { TemplateFile } from './folder.js';
import { direction, formattingLocale, languageOf } from './locale.js';
import type { Part } from './parse.js';
import { toDocument, toLine, toShortText } from './plain-text.js';

/** One notification as one channel of one person needs it. */
export interface RenderRequest<C extends Channel = Channel> {
  /** Null for a free message, which is then in `title`, `message` and `type`. */
  readonly event: string | null;
  readonly title?: string | undefined;
  readonly message?: string | undefined;
  readonly type?: string | undefined;
  readonly context: Readonly<Record<string, unknown>>;
  /** Passed through to a note, never read by a template. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly channel: C;
  /** The person's BCP 47 tag; the nearest locale that the event has is used. */
  readonly locale: string;
  /** The person's IANA time zone. */
  readonly timezone: string;
  /** When it happened. */
  readonly at: Date;
  /** Several of the event, oldest first, to be told in one message in the place of `context`. */
  readonly items?: readonly RenderedItem[] | undefined;
  /** How many there are, when `items` are only the first of them. */
  readonly count?: number | undefined;
}

/** One of several that are told in one message. */
export interface RenderedItem {
  readonly context: Readonly<Record<string, unknown>>;
  /** When it happened. */
  readonly at: Date;
}

export type Rendered<C extends Channel = Channel> =
  /** `template` names what was used, for the ledger: `payment_success@1/am`. */
  | { readonly ok: true; readonly content: ContentOf[C]; readonly template: string }
  /** Rendering it again would end the same way. `reason` is for an operator and has no personal data. */
  | { readonly ok: false; readonly reason: string };

export interface Renderer {
  render<C extends Channel>(request: RenderRequest<C>): Promise<Rendered<C>>;
}

export interface RendererOptions {
  /** Milliseconds that one file may take (200). */
  readonly renderLimit?: number;
  /** Characters and list elements that one file may make (5 million). */
  readonly memoryLimit?: number;
}

/** Renders from the catalogue alone: no file, no network, nothing but the context. It never rejects. */
export function createRenderer(catalogue: Catalogue, options: RendererOptions = {}): Renderer {
  const limits: Limits = {
    renderLimit: options.renderLimit ?? 200,
    memoryLimit: options.memoryLimit ?? 5_000_000,
  };
  return {
    async render(request) {
      const definition = catalogue.definition(request.event);
      if (definition === undefined)
        return { ok: false, reason: `there is no template for "${request.event}"` };
      const { name, version } = definition;
      // Checked again: the templates may be newer than the notification.
      const [checked, compose] =
        (request.items?.length ?? 0) > 1
          ? ([checkItems(definition.variables, request), COMPOSE_SEVERAL] as const)
          : ([checkContext(definition.variables, contextOf(request)), COMPOSE] as const);
      if (!checked.ok)
        return { ok: false, reason: checked.problems.map((problem) => problem.message).join(' ') };
      const write: Write = (file, locale = request.locale, subject = '') => {
        const part = catalogue.part(request.event, file, locale);
        return part && { text: runPart(part, checked.known, request, subject, limits), locale: part.locale };
      };
      try {
        const { content, locale } = compose[request.channel](write, request);
        return { ok: true, content, template: `${name}@${version}/${locale}` };
      } catch (error) {
        return {
          ok: false,
          reason: `${name}@${version}: ${error instanceof Error ? error.message : String(error)}`,
        };
      }
    },
  };
}

/** Writes one file in the nearest locale that has it; undefined where none has. */
type Write = (file: TemplateFile, locale?: string, subject?: string) => Written | undefined;

interface Written {
  readonly text: string;
  readonly locale: string;
}

interface Composed<Content> {
  readonly content: Content;
  readonly locale: string;
}

const COMPOSE: { readonly [C in Channel]: (write: Write, request: RenderRequest) => Composed<ContentOf[C]> } =
  {
    email: composeEmail,
    sms: composeSms,
    realtime: composeNote,
    push: composeNote,
    webhook: composeNote,
  };

/** The same for several in one message. It is plain text on every channel. */
const COMPOSE_SEVERAL: typeof COMPOSE = {
  email(write) {
    const { title, body, locale } = severalIn(write);
    return { content: { subject: title, text: `${toDocument(body)}\n` }, locale };
  },
  sms(write) {
    const { text, locale } = required('digest.body', write('digest.sms') ?? write('digest.body'));
    return { content: { text: toShortText(text) }, locale };
  },
  realtime: composeSeveral,
  push: composeSeveral,
  webhook: composeSeveral,
};

function composeSeveral(write: Write, request: RenderRequest): Composed<NoteContent> {
  const { title, body, locale } = severalIn(write);
  const { event, data } = request;
  return { content: { title, body: toShortText(body), type: request.type ?? event ?? 'info', data }, locale };
}

function severalIn(write: Write): { title: string; body: string; locale: string } {
  const body = required('digest.body', write('digest.body'));
  const title = required('digest.title', write('digest.title', body.locale));
  return { title: toLine(title.text), body: body.text, locale: body.locale };
}

function composeEmail(write: Write, request: RenderRequest): Composed<EmailContent> {
  const subject = toLine(required('email.subject', write('email.subject')).text);
  const { text, locale } = required('email.text', write('email.text', request.locale, subject));
  const html = write('email.html', locale, subject);
  const content = { subject, text: `${toDocument(text)}\n` };
  // The two parts must say the same, so HTML in another language is left out.
  if (html?.locale !== locale) return { content, locale };
  return { content: { ...content, html: `${toDocument(html.text)}\n` }, locale };
}

function composeSms(write: Write): Composed<SmsContent> {
  const { text, locale } = required('sms', write('sms'));
  return { content: { text: toShortText(text) }, locale };
}

function composeNote(write: Write, request: RenderRequest): Composed<NoteContent> {
  const title = required('note.title', write('note.title'));
  const body = required('note.body', write('note.body'));
  const content = {
    title: toLine(title.text),
    body: toShortText(body.text),
    type: request.type ?? request.event ?? 'info',
    data: request.data,
  };
  return { content, locale: body.locale };
}

function contextOf({ event, title, message, context, items }: RenderRequest): Record<string, unknown> {
  return event === null ? { title, message } : { ...(items?.[0]?.context ?? context) };
}

/** What the template of several reads: `items`, each with its own variables and `at`, and their `count`. */
function checkItems(
  variables: z.ZodType,
  { items = [], count = items.length }: RenderRequest,
): CheckedContext {
  const known: Record<string, unknown>[] = [];
  for (const { context, at } of items) {
    const checked = checkContext(variables, context);
    if (!checked.ok) return checked;
    known.push({ ...checked.known, at });
  }
  return { ok: true, context: {}, known: { items: known, count } };
}

function runPart(
  part: Part,
  known: Readonly<Record<string, unknown>>,
  request: RenderRequest,
  subject: string,
  limits: Limits,
): string {
  const locale = formattingLocale(request.locale, part.locale);
  const { timezone, at } = request;
  const language = languageOf(locale);
  const surroundings = { locale, language, direction: direction(locale), timezone, at, subject };
  try {
    return run(part.engine, part.template, known, surroundings, limits);
  } catch (error) {
    // The limit is wall clock: a process that was stopped or starved for a moment deserves another try.
    if (!isTimeLimit(error)) throw error;
    return run(part.engine, part.template, known, surroundings, limits);
  }
}

function isTimeLimit(error: unknown): boolean {
  return error instanceof Error && error.message.includes('template render limit exceeded');
}

/** Loading refuses an event without its English files, so a missing one is a bug. */
function required(file: TemplateFile, written: Written | undefined): Written {
  if (written === undefined) throw new Error(`there is no ${file}`);
  return written;
}
