import { byId, make } from './dom.js';
import { arrival, letterhead, readingPane } from './reading-pane.js';

const VIEWS = ['html', 'text', 'headers'];
const WIDTHS = ['desktop', 'phone'];

let shown = null;
let view = 'html';
let width = 'desktop';

/** Draws the inbox, newest first, and opens the newest if nothing is open. */
export const showMail = readingPane({
  section: 'mail',
  list: 'mail-list',
  pane: 'reader',
  none: 'No mail',
  empty: 'Mail that Belfry sends appears here.',
  looks: (mail) => ({
    avatar: initial(mail.to),
    hue: hueOf(mail.to),
    what: mail.subject || '(no subject)',
    preview: mail.preview,
  }),
  draw(mail, wanted) {
    shown = mail;
    if (mail.html === undefined && view === 'html') view = 'text';
    if (mail.html !== undefined && view === 'text' && !wanted) view = 'html';
    return letter();
  },
});

function letter() {
  const mail = shown;
  return [
    letterhead('mail', {
      back: 'Back to the inbox',
      title: mail.subject || '(no subject)',
      people: [make('span', {}, mail.from || '<>'), ' → ', make('span', {}, mail.recipients.join(', '))],
      facts: arrival(
        mail,
        ...(mail.details?.provider === 'ses' ? ['by the SES API'] : []),
        ...(mail.delivery_id === null ? [] : [`delivery ${mail.delivery_id}`]),
      ),
      more: [
        make(
          'div',
          { class: 'switches' },
          choice('View', VIEWS, view, (name) => (view = name)),
          view === 'html' ? choice('Width', WIDTHS, width, (name) => (width = name)) : '',
        ),
      ],
    }),
    body(mail),
  ];
}

function body(mail) {
  if (mail.body_dropped) return make('p', { class: 'empty' }, 'This one is old: only its envelope is kept.');
  if (view === 'headers')
    return make(
      'dl',
      { class: 'headers' },
      ...Object.entries(mail.headers ?? {}).flatMap(([name, value]) => [
        make('dt', {}, name),
        make('dd', {}, value),
      ]),
    );
  if (view === 'text') return make('pre', { class: 'plain' }, mail.text || 'This mail has no text part.');
  if (mail.html === undefined) return make('p', { class: 'empty' }, 'This mail has no HTML part.');
  const frame = make('iframe', {
    class: 'letter',
    sandbox: '',
    title: 'The mail as its reader sees it',
    referrerpolicy: 'no-referrer',
    src: `/messages/${mail.id}/html`,
  });
  return make('div', { class: `desk on-${width}` }, frame);
}

function choice(label, names, chosen, choose) {
  const buttons = names.map((name) =>
    make(
      'button',
      {
        type: 'button',
        'aria-pressed': String(name === chosen),
        on: {
          click: () => {
            choose(name);
            byId('reader').replaceChildren(...letter());
          },
        },
      },
      name === 'html' ? 'HTML' : name[0].toUpperCase() + name.slice(1),
    ),
  );
  return make('div', { class: 'choice', role: 'group', 'aria-label': label }, ...buttons);
}

function initial(address) {
  return [...address][0]?.toUpperCase() ?? '?';
}

function hueOf(address) {
  return [...address].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 6;
}
