import {
  type AnsweredAlert,
  alertByCode,
  pendingAlertsOf,
  peopleWithPhone,
  type ToldPerson,
} from '@belfry/shared/ledger/acknowledging.js';
import type { AlertRow } from '@belfry/shared/ledger/alerts.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { type AlertVerb, moveAlert } from '@belfry/shared/notify/move-alert.js';
import type { Events } from '@belfry/shared/service/events.js';
import { formatDate } from '@belfry/shared/templates/format.js';
import { formattingLocale } from '@belfry/shared/templates/locale.js';
import { fill, type Words, wordsFor } from './words.js';

/** What an answer by text message asks for. */
export interface TextAnswer {
  readonly verb: AlertVerb;
  /** The number of the alert; null when only the word was sent. */
  readonly code: number | null;
}

const ANSWER = /^\W*(ack|acknowledge|resolve|resolved)\W*(\d{4,6})?\W*$/i;

/** Reads `ACK 4821`, however it is spelled; null for what is no answer to an alert. */
export function readAnswer(text: string): TextAnswer | null {
  const match = ANSWER.exec(text.normalize('NFKC'));
  if (match === null) return null;
  const [, word = '', code] = match;
  return {
    verb: word.toLowerCase().startsWith('ack') ? 'acknowledge' : 'resolve',
    code: code === undefined ? null : Number(code),
  };
}

export interface AnswerParts {
  readonly database: Database;
  readonly events: Events;
}

const WORD = { acknowledge: 'ACK', resolve: 'RESOLVE' } as const;

/**
 * Does what a text message from a number asks for, and says what came of it in the language of the sender. Null for what is left
 * unanswered: a number that nobody has here, and what is no answer from somebody who has none to give. The same message again
 * is answered in the same way.
 */
export async function answerText(parts: AnswerParts, from: string, text: string): Promise<string | null> {
  const people = await peopleWithPhone(parts.database, from);
  const [first] = people;
  if (first === undefined) return null;
  const { words } = wordsFor(first.locale);
  const asked = readAnswer(text);
  const ids = people.map(({ id }) => id);
  if (asked === null) {
    // Only somebody who may have wanted to answer is told how: a machine that answers by itself must not be answered for ever.
    return (await pendingAlertsOf(parts.database, ids)).length > 0 && /ack|resolve|\d{4}/i.test(text)
      ? words.help
      : null;
  }
  const meant = await meantBy(parts.database, ids, asked, words);
  if (typeof meant === 'string') return meant;
  const person = people.find(({ id }) => id === meant.personId) ?? first;
  const alert = await moveAlert(parts, asked.verb, meant.alert.id, { name: person.id, via: 'sms' });
  return alert === null ? null : sentenceOn(alert, person, asked.verb);
}

/** The alert that is meant, or why none is. */
async function meantBy(
  database: Database,
  personIds: readonly string[],
  { verb, code }: TextAnswer,
  words: Words,
): Promise<AnsweredAlert | string> {
  if (code !== null)
    return (await alertByCode(database, personIds, code)) ?? fill(words.notTold, { code: String(code) });
  const pending = await pendingAlertsOf(database, personIds);
  const fitting = verb === 'resolve' ? pending : pending.filter(({ alert }) => alert.status === 'open');
  const [only, ...others] = fitting;
  if (only === undefined) return words.noneOpen;
  if (others.length === 0) return only;
  const codes = fitting.slice(0, 5).map(({ alert }) => String(alert.code));
  return fill(words.which, { word: WORD[verb], codes: codes.join(', ') });
}

/** How the alert stands now: that the sender has done it, or who was first. */
function sentenceOn(alert: AlertRow, person: ToldPerson, verb: AlertVerb): string {
  const { words, language } = wordsFor(person.locale);
  const code = String(alert.code);
  const [who, at] =
    alert.resolvedAt !== null
      ? [alert.resolvedBy, alert.resolvedAt]
      : [alert.acknowledgedBy, alert.acknowledgedAt];
  const over = alert.resolvedAt !== null;
  if (who === person.id && over === (verb === 'resolve'))
    return fill(over ? words.over : words.done, { code });
  const locale = formattingLocale(person.locale, language);
  const when = at === null ? '' : formatDate(at, 'datetime', locale, person.timezone);
  const sentence = fill(over ? words.resolved : words.acknowledged, { who: who ?? words.somebody, when });
  return `${code}: ${sentence}`;
}
