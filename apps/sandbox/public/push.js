import { make } from './dom.js';
import { arrival, letterhead, pretty, readingPane } from './reading-pane.js';

/** Draws the pushes, newest first, and opens the newest if nothing is open. */
export const showPushes = readingPane({
  section: 'push',
  list: 'push-list',
  pane: 'pushed',
  none: 'No pushes',
  empty: 'Pushes that Belfry sends to browsers and telephones of the sandbox appear here.',
  looks: (push) => ({
    avatar: push.details?.provider === 'fcm' ? '▯' : '◉',
    hue: 3,
    what: push.subject,
    preview: push.preview,
  }),
  draw,
});

function draw(push) {
  const { provider = '', payload = '', ...facts } = push.details ?? {};
  return [
    letterhead('push', {
      back: 'Back to the pushes',
      title: push.to,
      people: [make('span', {}, `${provider} from ${push.from}`)],
      facts: arrival(push),
    }),
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
      make('pre', { class: 'plain' }, pretty(payload, 'It had no payload.')),
    ),
  ];
}
