import { call } from './api.js';
import { byId, make, timeOf } from './dom.js';

let open = null;
let shown = [];
let last = 0;
let drawn = '';
/** What was typed on each telephone: the form, and what has been sent from it. */
const typed = new Map();

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

function redraw() {
  phone(open, shown);
}

function phone(number, thread) {
  shown = thread;
  last = thread.at(-1)?.id ?? 0;
  // Drawn only when something changed, so that reading back is not interrupted by other people's messages.
  const { form, sent } = keyboardOf(number);
  const state = `${number} ${thread.map(({ id }) => id).join()} ${sent.length}`;
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
    ...inOrder(thread, sent),
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
      form,
    ),
  );
  screen.scrollTop = screen.scrollHeight;
}

/** The messages that came, and those that were sent from here, where they belong. */
function inOrder(thread, sent) {
  const bubbles = sent.filter(({ after }) => after === 0).map(own);
  for (const message of thread)
    bubbles.push(bubble(message), ...sent.filter(({ after }) => after === message.id).map(own));
  return bubbles;
}

function own({ text, at, failed }) {
  return make(
    'li',
    { class: 'own' },
    make('p', {}, text),
    make('small', {}, failed === null ? timeOf(at) : failed),
  );
}

/** The line to answer in. It stays as it is while messages come. */
function keyboardOf(number) {
  const known = typed.get(number);
  if (known !== undefined || number === null) return known ?? { form: null, sent: [] };
  const sent = [];
  const input = make('input', {
    name: 'text',
    type: 'text',
    maxlength: '1600',
    autocomplete: 'off',
    placeholder: 'Answer, such as ACK 4821',
    'aria-label': `Answer from ${number}`,
  });
  const form = make('form', { class: 'answer' }, input, make('button', { type: 'submit' }, 'Send'));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (text === '') return;
    input.value = '';
    const message = { text, after: last, at: new Date().toISOString(), failed: null };
    sent.push(message);
    redraw();
    try {
      const { status } = await call('POST', '/sms/replies', { from: number, text });
      if (status !== 200) message.failed = `not taken: ${status ?? 'nobody answers'}`;
    } catch (error) {
      message.failed = error.message;
    }
    drawn = '';
    redraw();
  });
  typed.set(number, { form, sent });
  return { form, sent };
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
