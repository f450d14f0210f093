import { call } from './api.js';
import { byId, make } from './dom.js';
import { listRow } from './list-row.js';

/**
 * A list of messages, newest first, beside the one of them that is open. On a telephone the open one lies over the list.
 *
 * `section`, `list` and `pane` are ids of the page. `none` and `empty` are said when there is nothing in the list and nothing
 * open. `looks(message)` gives the row of a message; `draw(message, wanted)` what is in the pane, `wanted` when somebody
 * asked for it. Returns what shows the messages.
 */
export function readingPane({ section, list, pane, none, empty, looks, draw }) {
  let open = null;

  function show(messages) {
    const newest = messages.at(-1);
    if (newest === undefined) byId(list).replaceChildren(make('li', { class: 'none' }, none));
    else byId(list).replaceChildren(...messages.toReversed().map(row));
    if (open !== null && !messages.some(({ id }) => id === open)) close();
    if (open === null && newest !== undefined && !matchMedia('(max-width: 760px)').matches)
      openOne(newest.id, false);
  }

  function row(message) {
    return listRow(message, { ...looks(message), open, onOpen: () => openOne(message.id, true) });
  }

  async function openOne(id, wanted) {
    open = id;
    if (wanted) byId(section).classList.add('opened');
    for (const button of byId(list).querySelectorAll('.row'))
      button.setAttribute('aria-current', String(button.dataset.id === String(id)));
    const message = await call('GET', `/messages/${id}`).catch(() => null);
    if (open === id && message !== null) byId(pane).replaceChildren(...draw(message, wanted));
  }

  function close() {
    open = null;
    byId(section).classList.remove('opened');
    byId(pane).replaceChildren(make('p', { class: 'empty' }, empty));
  }

  return show;
}

/** What stands above an open message: the way back to the list, its title, whom it is between, and facts about it. */
export function letterhead(section, { back, title, people, facts, more = [] }) {
  return make(
    'header',
    { class: 'letterhead' },
    make(
      'button',
      {
        type: 'button',
        class: 'back',
        'aria-label': back,
        on: { click: () => byId(section).classList.remove('opened') },
      },
      '‹',
    ),
    make('h2', {}, title),
    make('p', { class: 'people' }, ...people),
    make('p', { class: 'facts' }, ...facts.map((fact) => make('span', {}, fact))),
    ...more,
  );
}

/** When a message came, how long it was, what else is known, and whether it came again. */
export function arrival({ received_at, raw_size, attempts }, ...known) {
  const facts = [new Date(received_at).toLocaleString(), `${raw_size} bytes`, ...known];
  return attempts > 1 ? [...facts, `arrived ${attempts} times`] : facts;
}

/** JSON as it is read best, anything else as it is. */
export function pretty(text, none) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text || none;
  }
}
