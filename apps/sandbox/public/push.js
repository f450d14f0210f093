import { call } from './api.js';
import { byId, make } from './dom.js';
import { listRow } from './list-row.js';

const EMPTY = 'Pushes that Belfry sends to browsers and telephones of the sandbox appear here.';

let open = null;

/** Draws the pushes, newest first, and opens the newest if nothing is open. */
export function showPushes(pushes) {
  const list = byId('push-list');
  const newest = pushes.at(-1);
  if (newest === undefined) list.replaceChildren(make('li', { class: 'none' }, 'No pushes'));
  else list.replaceChildren(...pushes.toReversed().map(row));
  if (open !== null && !pushes.some(({ id }) => id === open)) close();
  if (open === null && newest !== undefined && !matchMedia('(max-width: 760px)').matches) openPush(newest.id);
}

function row(push) {
  return listRow(push, {
    open,
    avatar: push.details?.provider === 'fcm' ? '▯' : '◉',
    hue: 3,
    what: push.subject,
    preview: push.preview,
    onOpen: () => openPush(push.id, true),
  });
}

async function openPush(id, wanted = false) {
  open = id;
  if (wanted) byId('push').classList.add('opened');
  for (const button of byId('push-list').querySelectorAll('.row'))
    button.setAttribute('aria-current', String(button.dataset.id === String(id)));
  const push = await call('GET', `/messages/${id}`).catch(() => null);
  if (open === id && push !== null) draw(push);
}

function close() {
  open = null;
  byId('push').classList.remove('opened');
  byId('pushed').replaceChildren(make('p', { class: 'empty' }, EMPTY));
}

function draw(push) {
  const { provider = '', payload = '', ...facts } = push.details ?? {};
  const said = [new Date(push.received_at).toLocaleString(), `${push.raw_size} bytes`];
  if (push.attempts > 1) said.push(`arrived ${push.attempts} times`);
  byId('pushed').replaceChildren(
    make(
      'header',
      { class: 'letterhead' },
      make(
        'button',
        {
          type: 'button',
          class: 'back',
          'aria-label': 'Back to the pushes',
          on: { click: () => byId('push').classList.remove('opened') },
        },
        '‹',
      ),
      make('h2', {}, push.to),
      make('p', { class: 'people' }, make('span', {}, `${provider} from ${push.from}`)),
      make('p', { class: 'facts' }, ...said.map((fact) => make('span', {}, fact))),
    ),
    make(
      'div',
      { class: 'request' },
      make(
        'article',
        { class: 'note' },
        make('img', { src: 'bell.svg', alt: '', width: '36', height: '36' }),
        make('div', {}, make('strong', {}, push.subject), make('p', {}, push.text)),
      ),
      make('h3', {}, 'What the push service is told'),
      make(
        'dl',
        { class: 'headers' },
        ...Object.entries(facts).flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]),
      ),
      make('h3', {}, 'What the device reads'),
      make('pre', { class: 'plain' }, pretty(payload)),
    ),
  );
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text || 'It had no payload.';
  }
}
