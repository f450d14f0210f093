import { byId, make, timeOf } from './dom.js';

let open = null;
let drawn = '';

/** Draws one conversation for each number, the latest first, and the open one on a phone. */
export function showPhones(messages) {
  const threads = new Map();
  for (const message of messages) threads.set(message.to, [...(threads.get(message.to) ?? []), message]);
  const latest = [...threads].sort(([, a], [, b]) => b.at(-1).id - a.at(-1).id);
  if (open === null || !threads.has(open)) open = latest[0]?.[0] ?? null;

  const list = byId('sms-list');
  if (latest.length === 0) list.replaceChildren(make('li', { class: 'none' }, 'No text messages'));
  else
    list.replaceChildren(
      ...latest.map(([number, thread]) => row(number, thread, () => show(messages, number))),
    );
  phone(open, threads.get(open) ?? []);
}

function show(messages, number) {
  open = number;
  byId('sms').classList.add('opened');
  showPhones(messages);
}

function row(number, thread, choose) {
  const last = thread.at(-1);
  return make(
    'li',
    {},
    make(
      'button',
      { type: 'button', class: 'row', 'aria-current': String(number === open), on: { click: choose } },
      make(
        'span',
        { class: 'avatar', 'data-hue': String(Number(number.slice(-2)) % 6 || 0) },
        number.slice(-2),
      ),
      make('span', { class: 'who' }, number),
      make('time', { datetime: last.received_at }, timeOf(last.received_at)),
      make('span', { class: 'preview' }, last.preview),
      make('span', { class: 'tally' }, String(thread.length)),
    ),
  );
}

function phone(number, thread) {
  // Drawn only when something changed, so that reading back is not interrupted by other people's messages.
  const state = `${number} ${thread.map(({ id }) => id).join()}`;
  if (state === drawn) return;
  drawn = state;
  if (number === null) {
    byId('sms').classList.remove('opened');
    byId('phone').replaceChildren(
      make('p', { class: 'empty' }, 'Text messages that Belfry sends appear here.'),
    );
    return;
  }
  const screen = make(
    'ol',
    { class: 'bubbles', tabindex: '0', 'aria-label': `Messages to ${number}` },
    ...thread.map(bubble),
  );
  byId('phone').replaceChildren(
    make(
      'button',
      {
        type: 'button',
        class: 'back',
        'aria-label': 'Back to the numbers',
        on: { click: () => byId('sms').classList.remove('opened') },
      },
      '‹',
    ),
    make(
      'div',
      { class: 'phone' },
      make('div', { class: 'speaker' }),
      make(
        'div',
        { class: 'contact' },
        make('strong', {}, number),
        make('span', {}, `from ${thread.at(-1).from || 'a messaging service'}`),
      ),
      screen,
    ),
  );
  screen.scrollTop = screen.scrollHeight;
}

function bubble({ preview, received_at, attempts, details = {}, delivery_id }) {
  const parts = details.num_segments ?? '1';
  const facts = [timeOf(received_at), parts === '1' ? '1 part' : `${parts} parts`];
  if (attempts > 1) facts.push(`arrived ${attempts} times`);
  return make(
    'li',
    delivery_id === null ? {} : { title: `delivery ${delivery_id}` },
    make('p', {}, preview),
    make('small', {}, facts.join(' · ')),
  );
}
