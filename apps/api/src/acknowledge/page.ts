import { createHash } from 'node:crypto';
import type { AlertVerb } from '@belfry/shared/domain/alert.js';
import type { LinkedAlert } from '@belfry/shared/ledger/acknowledging.js';
import type { AlertRow } from '@belfry/shared/ledger/alerts.js';
import { formatDate } from '@belfry/shared/templates/format.js';
import { formattingLocale } from '@belfry/shared/templates/locale.js';
import { escaped } from '../middleware/escape-html.js';
import { STYLE } from './page-style.js';
import { fill, type Words, wordsFor } from './words.js';

/** Lets the page's one style in, and no other. */
export const STYLE_HASH = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;

/** The page of one alert for one person: what it is, how it stands, and a button for what is to be done next. It has no script. */
export function alertPage({ alert, person }: LinkedAlert): string {
  const { words, language } = wordsFor(person.locale);
  const locale = formattingLocale(person.locale, language);
  const when = (moment: Date) => formatDate(moment, 'datetime', locale, person.timezone);
  const rows = [
    [words.severity, alert.severity],
    ...(alert.source === null ? [] : [[words.source, alert.source]]),
    ...(alert.affectedSystems.length === 0 ? [] : [[words.affected, alert.affectedSystems.join(', ')]]),
    [words.time, when(alert.openedAt)],
    ...(alert.count > 1 ? [[words.raised, String(alert.count)]] : []),
    [words.code, String(alert.code)],
  ];
  const title = `${alert.level.toUpperCase()}: ${alert.type}`;
  return page(
    language,
    title,
    `
      <article class="${escaped(alert.level)} ${escaped(alert.status)}">
        <p class="level">${escaped(alert.level.toUpperCase())}</p>
        <h1>${escaped(alert.type)}</h1>
        <p class="message">${escaped(alert.message)}</p>
        <p id="state" role="status">${escaped(stateOf(alert, words, when))}</p>
        ${formFor(alert, words)}
        <dl>${rows.map(([name = '', value = '']) => `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}</dd></div>`).join('')}</dl>
        <p class="yours">${escaped(fill(words.yours, { who: person.id }))}</p>
      </article>`,
  );
}

/** What can be wrong with a link, or with this moment. */
export type Trouble = 'unknown' | 'gone' | 'tooOften' | 'trouble';

/** The page that says so. */
export function troublePage(locale: string, trouble: Trouble): string {
  const { words, language } = wordsFor(locale);
  const [title, hint] = words[trouble];
  return page(language, title, `<article><h1>${escaped(title)}</h1><p>${escaped(hint)}</p></article>`);
}

function stateOf(alert: AlertRow, words: Words, when: (moment: Date) => string): string {
  if (alert.resolvedAt !== null)
    return fill(words.resolved, { who: alert.resolvedBy ?? words.somebody, when: when(alert.resolvedAt) });
  if (alert.acknowledgedAt === null) return words.nobodyYet;
  const who = alert.acknowledgedBy ?? words.somebody;
  return fill(words.acknowledged, { who, when: when(alert.acknowledgedAt) });
}

/** Without an `action` a form is sent to where its page is. */
function formFor({ status }: AlertRow, words: Words): string {
  if (status === 'resolved') return '';
  const verb: AlertVerb = status === 'open' ? 'acknowledge' : 'resolve';
  return `<form method="post">
          <button type="submit" name="verb" value="${verb}" class="${verb}">${escaped(words[verb])}</button>
        </form>`;
}

function page(language: string, title: string, main: string): string {
  return `<!doctype html>
<html lang="${escaped(language)}">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <meta name="robots" content="noindex" />
    <title>${escaped(title)} · Belfry</title>
    <link rel="icon" href="data:," />
    <style>${STYLE}</style>
  </head>
  <body>
    <main>${main}
    </main>
  </body>
</html>
`;
}
