import { languageOf } from '@belfry/shared/templates/locale.js';

/** What somebody who was told of an alert reads when they answer: on the page of their link, and in a text message. */
export interface Words {
  readonly acknowledge: string;
  readonly resolve: string;
  readonly nobodyYet: string;
  /** `who` and `when` are filled in. */
  readonly acknowledged: string;
  readonly resolved: string;
  /** Stands for somebody whose name is not known any more. */
  readonly somebody: string;
  readonly yours: string;
  readonly severity: string;
  readonly source: string;
  readonly affected: string;
  readonly time: string;
  readonly code: string;
  readonly raised: string;
  /** What is wrong, and what to do about it. */
  readonly unknown: readonly [title: string, hint: string];
  readonly gone: readonly [title: string, hint: string];
  readonly tooOften: readonly [title: string, hint: string];
  readonly trouble: readonly [title: string, hint: string];
  /** Text messages: `code` and `codes` are filled in, and `word`, which is not translated. */
  readonly done: string;
  readonly over: string;
  readonly notTold: string;
  readonly noneOpen: string;
  readonly which: string;
  readonly help: string;
}

const ENGLISH: Words = {
  acknowledge: 'Acknowledge',
  resolve: 'Mark as resolved',
  nobodyYet: 'Nobody has acknowledged it yet.',
  acknowledged: 'Acknowledged by {who}, {when}.',
  resolved: 'Resolved by {who}, {when}.',
  somebody: 'somebody',
  yours: 'This link is yours alone: whoever opens it answers as {who}.',
  severity: 'Severity',
  source: 'Source',
  affected: 'Affected',
  time: 'Time',
  code: 'Number',
  raised: 'Times raised',
  unknown: [
    'This link leads nowhere',
    'It may have been cut off: open it once more from the whole message, or answer in the application.',
  ],
  gone: ['This link is good no more', 'It is too old, or what it led to is gone.'],
  tooOften: ['Too many requests', 'Wait a minute and open the link again.'],
  trouble: ['This cannot be done now', 'Nothing was changed. Try again in a moment.'],
  done: 'You have acknowledged alert {code}.',
  over: 'You have marked alert {code} as resolved.',
  notTold: 'You were told of no alert {code}.',
  noneOpen: 'None of the alerts that you were told of is open.',
  which: 'Which one? Reply {word} and one of these: {codes}.',
  help: 'Reply ACK or RESOLVE and the number of the alert.',
};

const AMHARIC: Words = {
  acknowledge: 'መቀበሌን አረጋግጥ',
  resolve: 'እንደተፈታ አመልክት',
  nobodyYet: 'እስካሁን ማንም አላረጋገጠም።',
  acknowledged: 'በ{who} ተረጋግጧል፣ {when}።',
  resolved: 'በ{who} ተፈትቷል፣ {when}።',
  somebody: 'አንድ ሰው',
  yours: 'ይህ ማስፈንጠሪያ የእርስዎ ብቻ ነው፤ የሚከፍተው ሰው በ{who} ስም ይመልሳል።',
  severity: 'ደረጃ',
  source: 'ምንጭ',
  affected: 'የተነኩ ሥርዓቶች',
  time: 'ሰዓት',
  code: 'ቁጥር',
  raised: 'የተነሳበት ብዛት',
  unknown: ['ይህ ማስፈንጠሪያ የትም አያደርስም', 'ተቆርጦ ሊሆን ይችላል፤ ከመልዕክቱ ሙሉውን ማስፈንጠሪያ እንደገና ይክፈቱ።'],
  gone: ['ይህ ማስፈንጠሪያ ከእንግዲህ አይሠራም', 'ጊዜው አልፏል ወይም የሚያደርስበት ነገር የለም።'],
  tooOften: ['ጥያቄዎች በዝተዋል', 'አንድ ደቂቃ ቆይተው ማስፈንጠሪያውን እንደገና ይክፈቱ።'],
  trouble: ['አሁን ማድረግ አልተቻለም', 'ምንም አልተለወጠም። ጥቂት ቆይተው እንደገና ይሞክሩ።'],
  done: 'ማስጠንቀቂያ {code} መቀበልዎን አረጋግጠዋል።',
  over: 'ማስጠንቀቂያ {code} እንደተፈታ አመልክተዋል።',
  notTold: 'ቁጥሩ {code} የሆነ ማስጠንቀቂያ አልደረሰዎትም።',
  noneOpen: 'ከደረሱዎት ማስጠንቀቂያዎች ክፍት የሆነ የለም።',
  which: 'የትኛውን? {word} ብለው ከእነዚህ አንዱን ይመልሱ፦ {codes}።',
  help: 'ACK ወይም RESOLVE ብለው የማስጠንቀቂያውን ቁጥር ይመልሱ።',
};

const OROMO: Words = {
  acknowledge: 'Fudhachuu mirkaneessi',
  resolve: 'Akka furametti mallatteessi',
  nobodyYet: 'Hanga ammaatti namni mirkaneesse hin jiru.',
  acknowledged: '{who} mirkaneesseera, {when}.',
  resolved: '{who} fureera, {when}.',
  somebody: 'Namni tokko',
  yours: 'Geessituun kun kan kee qofa: namni banu maqaa {who}tiin deebisa.',
  severity: 'Sadarkaa',
  source: 'Madda',
  affected: 'Sirnoota miidhaman',
  time: 'Yeroo',
  code: 'Lakkoofsa',
  raised: 'Baayʼina kaʼe',
  unknown: ['Geessituun kun eessattuu hin geessu', 'Muramee taʼuu dandaʼa: ergaa guutuu irraa ammas bani.'],
  gone: [
    'Geessituun kun siʼachi hin hojjetu',
    'Yeroon isaa darbeera, yookaan wanti inni itti geessu hin jiru.',
  ],
  tooOften: ['Gaaffiin baayʼateera', 'Daqiiqaa tokko turiitii geessituu ammas bani.'],
  trouble: ['Amma gochuun hin dandaʼamu', 'Wanti jijjiirame hin jiru. Xiqqoo turii irra deebiʼii yaali.'],
  done: 'Akeekkachiisa {code} fudhachuu kee mirkaneessiteetta.',
  over: 'Akeekkachiisni {code} akka furame mallatteessiteetta.',
  notTold: 'Akeekkachiisni {code} si hin geenye.',
  noneOpen: 'Akeekkachiisa si gahe keessaa kan banaa taʼe hin jiru.',
  which: 'Isa kam? {word} jedhiitii kanneen keessaa tokko deebisi: {codes}.',
  help: 'ACK yookaan RESOLVE jedhiitii lakkoofsa akeekkachiisaa deebisi.',
};

/** The languages that are spoken here. */
export const LANGUAGES = ['en', 'am', 'om'] as const;
const SPOKEN: Readonly<Record<string, Words>> = { en: ENGLISH, am: AMHARIC, om: OROMO };

/** The words for a reader of `locale`, and the language they are in: English for whoever reads none of these. */
export function wordsFor(locale: string): { readonly words: Words; readonly language: string } {
  const language = languageOf(locale);
  const words = SPOKEN[language];
  return words === undefined ? { words: ENGLISH, language: 'en' } : { words, language };
}

/** Fills in what stands in braces. */
export function fill(sentence: string, values: Readonly<Record<string, string>>): string {
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
