import { call } from './api.js';
import { byId, make } from './dom.js';
import { listRow } from './list-row.js';

const VIEWS = ['html', 'text', 'headers'];
const WIDTHS = ['desktop', 'phone'];

let shown = null;
let open = null;
let view = 'html';
let width = 'desktop';

/** Draws the inbox, newest first, and opens the newest if nothing is open. */
export function showMail(mails) {
  const list = byId('mail-list');
  const newest = mails.at(-1);
  if (newest === undefined) list.replaceChildren(make('li', { class: 'none' }, 'No mail'));
  else list.replaceChildren(...mails.toReversed().map(row));
  if (open !== null && !mails.some(({ id }) => id === open)) close();
  if (open === null && newest !== undefined && !narrow()) openMail(newest.id);
}

function row(mail) {
  return listRow(mail, {
    open,
    avatar: initial(mail.to),
    hue: hueOf(mail.to),
    what: mail.subject || '(no subject)',
    preview: mail.preview,
    onOpen: () => openMail(mail.id, true),
  });
}

async function openMail(id, wanted = false) {
  open = id;
  if (wanted) byId('mail').classList.add('opened');
  for (const button of byId('mail-list').querySelectorAll('[aria-current="true"]'))
    button.setAttribute('aria-current', 'false');
  const mail = await call('GET', `/messages/${id}`).catch(() => null);
  if (open !== id || mail === null) return;
  shown = mail;
  if (mail.html === undefined && view === 'html') view = 'text';
  if (mail.html !== undefined && view === 'text' && !wanted) view = 'html';
  draw();
  mark();
}

function close() {
  open = null;
  shown = null;
  byId('mail').classList.remove('opened');
  byId('reader').replaceChildren(make('p', { class: 'empty' }, 'Mail that Belfry sends appears here.'));
}

function mark() {
  const rows = [...byId('mail-list').querySelectorAll('.row')];
  const ids = rows.map((element) => element.dataset.id);
  rows[ids.indexOf(String(open))]?.setAttribute('aria-current', 'true');
}

function draw() {
  const mail = shown;
  byId('reader').replaceChildren(
    make(
      'header',
      { class: 'letterhead' },
      make(
        'button',
        {
          type: 'button',
          class: 'back',
          'aria-label': 'Back to the inbox',
          on: { click: () => byId('mail').classList.remove('opened') },
        },
        '‹',
      ),
      make('h2', {}, mail.subject || '(no subject)'),
      make(
        'p',
        { class: 'people' },
        make('span', {}, mail.from || '<>'),
        ' → ',
        make('span', {}, mail.recipients.join(', ')),
      ),
      make('p', { class: 'facts' }, ...factsOf(mail)),
      make(
        'div',
        { class: 'switches' },
        choice('View', VIEWS, view, (name) => (view = name)),
        view === 'html' ? choice('Width', WIDTHS, width, (name) => (width = name)) : '',
      ),
    ),
    body(mail),
  );
}

function factsOf(mail) {
  const facts = [new Date(mail.received_at).toLocaleString(), `${mail.raw_size} bytes`];
  if (mail.details?.provider === 'ses') facts.push('by the SES API');
  if (mail.delivery_id !== null) facts.push(`delivery ${mail.delivery_id}`);
  if (mail.attempts > 1) facts.push(`arrived ${mail.attempts} times`);
  return facts.map((fact) => make('span', {}, fact));
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
            draw();
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

function narrow() {
  return matchMedia('(max-width: 760px)').matches;
}
