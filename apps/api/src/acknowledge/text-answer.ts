import type { AlertVerb } from '@belfry/shared/domain/alert.js';
import {
  type AnsweredAlert,
  pendingAlertsOf,
  peopleWithPhone,
  type ToldPerson,
  toldAlert,
} from '@belfry/shared/ledger/acknowledging.js';
import { type AlertMove, type AlertRow, moveAlertWithin } from '@belfry/shared/ledger/alerts.js';
import type { Database, Statements } from '@belfry/shared/ledger/database.js';
import { findAnswer, keepAnswer } from '@belfry/shared/ledger/idempotency.js';
import { retryTransient } from '@belfry/shared/ledger/retry-transient.js';
import { announceMove } from '@belfry/shared/notify/move-alert.js';
import type { Events } from '@belfry/shared/service/events.js';
import { formatDate } from '@belfry/shared/templates/format.js';
import { formattingLocale } from '@belfry/shared/templates/locale.js';
import { z } from 'zod';
import { fill, wordsFor } from './words.js';

/** What an answer by text message asks for. */
export interface TextAnswer {
  readonly verb: AlertVerb;
  /** The number of the alert; null when only the word was sent. */
  readonly code: number | null;
}

/** Characters of a text message that may be an answer: one segment. */
const LONGEST = 160;

const ANSWER = /^\W*(ack|acknowledge|resolve|resolved)(?:\W*(\d{4,6}))?\W*$/i;
/** Somebody may have wanted to answer. */
const LIKE_AN_ANSWER = /\b(ack|acknowledge|acknowledged|resolve|resolved|\d{4,6})\b/i;

/** Reads `ACK 4821`, however it is spelled; null for what is no answer to an alert. */
export function readAnswer(text: string): TextAnswer | null {
  const match = ANSWER.exec(plain(text));
  if (match === null) return null;
  const [, word = '', code] = match;
  return {
    verb: word.toLowerCase().startsWith('ack') ? 'acknowledge' : 'resolve',
    code: code === undefined ? null : Number(code),
  };
}

/** The text in plain letters; nothing for one that is too long to be an answer. */
function plain(text: string): string {
  const letters = text.normalize('NFKC');
  return letters.length > LONGEST ? '' : letters;
}

export interface AnswerParts {
  readonly database: Database;
  readonly events: Events;
}

/** A text message that somebody sent to us. */
export interface TextMessage {
  /** What the provider calls it, the same when it is handed over again; empty when that is not known. */
  readonly id: string;
  readonly from: string;
  readonly text: string;
}

const WORD = { acknowledge: 'ACK', resolve: 'RESOLVE' } as const;

/** What is said back; null for nothing. */
export interface TextReply {
  readonly said: string | null;
  /** It says how to answer, to what was no answer. */
  readonly help: boolean;
}

/**
 * Does what a text message from a number asks for, and says what came of it in the language of the sender. Nothing is said to
 * what is left unanswered: a number that nobody has here, and what is no answer from somebody who has none to give. The same message again,
 * within a day, does nothing more and is answered in the same way.
 */
export async function answerText(parts: AnswerParts, message: TextMessage): Promise<TextReply> {
  const people = await peopleWithPhone(parts.database, message.from);
  const [first] = people;
  if (first === undefined) return { said: null, help: false };
  const { words } = wordsFor(first.locale);
  const asked = readAnswer(message.text);
  if (asked === null) {
    const ids = people.map(({ id }) => id);
    // Only somebody who may have wanted to answer is told how: a machine that answers by itself must not be answered for ever.
    const help =
      LIKE_AN_ANSWER.test(plain(message.text)) && (await pendingAlertsOf(parts.database, ids)).length > 0;
    return { said: help ? words.help : null, help };
  }
  const done = await doOnce(parts, message.id, people, asked);
  const said =
    done === null || typeof done === 'string'
      ? done
      : sentenceOn(done.alert, personOf(done, people) ?? first, asked.verb);
  return { said, help: false };
}

function personOf({ personId }: AnsweredAlert, people: readonly ToldPerson[]): ToldPerson | undefined {
  return people.find(({ id }) => id === personId);
}

/** What is kept of an answer: the alert that it was about, and not a word of whoever was first; or what was said instead. */
const kept = z.union([z.object({ alert_id: z.string() }), z.object({ said: z.string() })]);
/** Whose answers are kept: no subject of a token has a line break. */
const KEEPER = 'text\nanswers';

class Taken extends Error {}

/**
 * Does what was asked for, in one commit with the id of the message: the word alone means what is open at that moment, which
 * may be another alert when the message is handed over again. Null when the alert is gone.
 */
async function doOnce(
  { database, events }: AnswerParts,
  messageId: string,
  people: readonly ToldPerson[],
  asked: TextAnswer,
): Promise<AnsweredAlert | string | null> {
  const ids = people.map(({ id }) => id);
  const earlier = () => doneEarlier(database, messageId, ids);
  const before = await earlier();
  if (before !== undefined) return before;
  try {
    const { done, move } = await retryTransient(() =>
      database.transaction(async (transaction) => {
        const outcome = await doWithin(transaction, people, asked);
        if (messageId !== '' && !(await keep(transaction, messageId, outcome.done))) throw new Taken();
        return outcome;
      }),
    );
    if (move !== null) announceMove(events, move, { via: 'sms' });
    return done;
  } catch (error) {
    // The same message was in two hands, and the other was first.
    if (!(error instanceof Taken)) throw error;
    return (await earlier()) ?? null;
  }
}

interface Done {
  readonly done: AnsweredAlert | string | null;
  readonly move: AlertMove | null;
}

async function doWithin(
  transaction: Statements,
  people: readonly ToldPerson[],
  asked: TextAnswer,
): Promise<Done> {
  const meant = await meantBy(transaction, people, asked);
  if (typeof meant === 'string') return { done: meant, move: null };
  const actor = { name: meant.personId, via: 'sms' } as const;
  const move = await moveAlertWithin(transaction, asked.verb, meant.alert.id, actor);
  return { done: move === null ? null : { ...meant, alert: move.alert }, move };
}

function keep(transaction: Statements, messageId: string, done: Done['done']): Promise<boolean> {
  const body = typeof done === 'string' || done === null ? { said: done ?? '' } : { alert_id: done.alert.id };
  return keepAnswer(transaction, { caller: KEEPER, key: messageId, fingerprint: '', status: 200, body });
}

/** What came of the message when it was here before; undefined when it was not. */
async function doneEarlier(
  database: Database,
  messageId: string,
  personIds: readonly string[],
): Promise<AnsweredAlert | string | null | undefined> {
  const found = messageId === '' ? null : await findAnswer(database, KEEPER, messageId);
  if (found === null) return undefined;
  const body = kept.parse(found.body);
  if ('alert_id' in body) return toldAlert(database, personIds, { alertId: body.alert_id });
  return body.said === '' ? null : body.said;
}

/**
 * The alert that is meant, or why none is. The word alone means the one that a text message has told of, if there is one such
 * alert: of any other the sender may not know.
 */
async function meantBy(
  database: Statements,
  people: readonly ToldPerson[],
  { verb, code }: TextAnswer,
): Promise<AnsweredAlert | string> {
  const personIds = people.map(({ id }) => id);
  const words = wordsFor(people[0]?.locale ?? '').words;
  if (code !== null)
    return (await toldAlert(database, personIds, { code })) ?? fill(words.notTold, { code: String(code) });
  const pending = await pendingAlertsOf(database, personIds);
  const fitting = verb === 'resolve' ? pending : pending.filter(({ alert }) => alert.status === 'open');
  if (fitting.length === 0) return words.noneOpen;
  const [only, ...others] = fitting.filter(({ bySms }) => bySms);
  if (only !== undefined && others.length === 0) return only;
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
