import { drawing, make } from './dom.js';
import { arrival, letterhead, pretty, readingPane } from './reading-pane.js';

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
/** Strokes of a telephone and of a browser's window. */
const TELEPHONE = [
  'M8 3h8a1.5 1.5 0 0 1 1.5 1.5v15A1.5 1.5 0 0 1 16 21H8a1.5 1.5 0 0 1-1.5-1.5v-15A1.5 1.5 0 0 1 8 3Z',
  'M11 18h2',
];
const WINDOW = [
  'M4.5 5h15A1.5 1.5 0 0 1 21 6.5v11a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 17.5v-11A1.5 1.5 0 0 1 4.5 5Z',
  'M3 9.5h18',
  'M6 7.3h.01',
];

/** Draws the pushes, newest first, and opens the newest if nothing is open. */
export const showPushes = readingPane({
  section: 'push',
  list: 'push-list',
  pane: 'pushed',
  none: 'No pushes',
  empty: 'Pushes that Belfry sends to browsers and telephones of the sandbox appear here.',
  looks: (push) => ({
    avatar: drawing(...(isTelephone(push) ? TELEPHONE : WINDOW)),
    hue: 3,
    who: deviceOf(push),
    what: push.subject,
    preview: push.preview,
  }),
  draw,
});

function isTelephone({ details }) {
  return details?.provider === 'fcm';
}

/** Whose device it is, where its name tells: the sandbox's browsers have names, and the telephones of the demo people have theirs in the token. */
function deviceOf(push) {
  const device = isTelephone(push) ? 'telephone' : 'browser';
  const owner = push.to.replace(/^telephone-of-/, '');
  const named = isTelephone(push) ? owner !== push.to : !UUID.test(owner);
  return named ? `${owner}’s ${device}` : `a ${device}`;
}

function draw(push) {
  const { provider = '', payload = '', ...facts } = push.details ?? {};
  return [
    letterhead('push', {
      back: 'Back to the pushes',
      title: deviceOf(push),
      people: [make('span', {}, `${provider} from ${push.from} to ${push.to}`)],
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
