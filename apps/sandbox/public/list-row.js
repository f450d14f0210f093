import { make, timeOf } from './dom.js';

/** A row of a list of messages: who it went to (`who`, or the address), when, what it is about, and a button that opens it. */
export function listRow(message, { open, avatar, hue, who = message.to, what, preview, onOpen }) {
  return make(
    'li',
    {},
    make(
      'button',
      {
        type: 'button',
        class: 'row',
        'data-id': String(message.id),
        'aria-current': String(message.id === open),
        on: { click: onOpen },
      },
      make('span', { class: 'avatar', 'data-hue': String(hue) }, avatar),
      make('span', { class: 'who' }, who),
      make('time', { datetime: message.received_at }, timeOf(message.received_at)),
      make(
        'span',
        { class: 'what' },
        make('span', { class: 'cut' }, what),
        message.attempts > 1 ? make('span', { class: 'again' }, `×${message.attempts}`) : '',
      ),
      make('span', { class: 'preview' }, preview),
    ),
  );
}
