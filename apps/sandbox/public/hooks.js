import { make } from './dom.js';
import { arrival, letterhead, pretty, readingPane } from './reading-pane.js';

/** The headers that a receiver checks; they are shown first. */
const SIGNED = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];

/** Draws the requests, newest first, and opens the newest if nothing is open. */
export const showHooks = readingPane({
  section: 'hooks',
  list: 'hooks-list',
  pane: 'request',
  none: 'No webhooks',
  empty: 'Webhooks that Belfry sends to /webhook/… appear here.',
  looks: (hook) => ({
    avatar: '{}',
    hue: 4,
    what: hook.subject,
    preview: hook.details?.type ?? hook.preview,
  }),
  draw,
});

function draw(hook) {
  return [
    letterhead('hooks', {
      back: 'Back to the requests',
      title: hook.subject,
      people: [make('span', {}, `${hook.details?.method ?? 'POST'} ${hook.to}`)],
      facts: arrival(hook),
    }),
    hook.body_dropped
      ? make('p', { class: 'empty' }, 'This one is old: only where it came to is kept.')
      : make(
          'div',
          { class: 'request' },
          headers('What its receiver checks', SIGNED, hook.headers),
          make('h3', {}, 'Body'),
          make('pre', { class: 'plain' }, pretty(hook.text, 'It had no body.')),
          headers(
            'Other headers',
            Object.keys(hook.headers ?? {}).filter((name) => !SIGNED.includes(name)),
            hook.headers,
          ),
        ),
  ];
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
