import { call } from './api.js';
import { byId, make } from './dom.js';
import { listRow } from './list-row.js';

/** The headers that a receiver checks; they are shown first. */
const SIGNED = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];

let open = null;

/** Draws the requests, newest first, and opens the newest if nothing is open. */
export function showHooks(hooks) {
  const list = byId('hooks-list');
  const newest = hooks.at(-1);
  if (newest === undefined) list.replaceChildren(make('li', { class: 'none' }, 'No webhooks'));
  else list.replaceChildren(...hooks.toReversed().map(row));
  if (open !== null && !hooks.some(({ id }) => id === open)) close();
  if (open === null && newest !== undefined && !matchMedia('(max-width: 760px)').matches) openHook(newest.id);
}

function row(hook) {
  return listRow(hook, {
    open,
    avatar: '{}',
    hue: 4,
    what: hook.subject,
    preview: hook.details?.type ?? hook.preview,
    onOpen: () => openHook(hook.id, true),
  });
}

async function openHook(id, wanted = false) {
  open = id;
  if (wanted) byId('hooks').classList.add('opened');
  for (const button of byId('hooks-list').querySelectorAll('.row'))
    button.setAttribute('aria-current', String(button.dataset.id === String(id)));
  const hook = await call('GET', `/messages/${id}`).catch(() => null);
  if (open === id && hook !== null) draw(hook);
}

function close() {
  open = null;
  byId('hooks').classList.remove('opened');
  byId('request').replaceChildren(
    make('p', { class: 'empty' }, 'Webhooks that Belfry sends to /webhook/… appear here.'),
  );
}

function draw(hook) {
  const facts = [new Date(hook.received_at).toLocaleString(), `${hook.raw_size} bytes`];
  if (hook.attempts > 1) facts.push(`arrived ${hook.attempts} times`);
  byId('request').replaceChildren(
    make(
      'header',
      { class: 'letterhead' },
      make(
        'button',
        {
          type: 'button',
          class: 'back',
          'aria-label': 'Back to the requests',
          on: { click: () => byId('hooks').classList.remove('opened') },
        },
        '‹',
      ),
      make('h2', {}, hook.subject),
      make('p', { class: 'people' }, make('span', {}, `${hook.details?.method ?? 'POST'} ${hook.to}`)),
      make('p', { class: 'facts' }, ...facts.map((fact) => make('span', {}, fact))),
    ),
    hook.body_dropped
      ? make('p', { class: 'empty' }, 'This one is old: only where it came to is kept.')
      : make(
          'div',
          { class: 'request' },
          headers('What its receiver checks', SIGNED, hook.headers),
          make('h3', {}, 'Body'),
          make('pre', { class: 'plain' }, pretty(hook.text)),
          headers(
            'Other headers',
            Object.keys(hook.headers ?? {}).filter((name) => !SIGNED.includes(name)),
            hook.headers,
          ),
        ),
  );
}

function headers(title, names, all = {}) {
  const there = names.filter((name) => all[name] !== undefined);
  return make(
    'section',
    {},
    make('h3', {}, title),
    there.length === 0
      ? make('p', { class: 'unsigned' }, 'none')
      : make(
          'dl',
          { class: 'headers' },
          // A signature for each secret, on a line of its own.
          ...there.flatMap((name) => [
            make('dt', {}, name),
            make('dd', {}, name === 'webhook-signature' ? all[name].split(' ').join('\n') : all[name]),
          ]),
        ),
  );
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text || 'It had no body.';
  }
}
