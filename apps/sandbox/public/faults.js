import { call } from './api.js';
import { byId, make } from './dom.js';

const PRESETS = [
  [
    'SMTP 451 once',
    { channel: 'email', action: { kind: 'smtp', code: 451, at: 'data', enhanced: '4.7.1' }, times: 1 },
  ],
  ['SMTP 550', { channel: 'email', action: { kind: 'smtp', code: 550, at: 'rcpt', enhanced: '5.1.1' } }],
  ['Mail hangs', { channel: 'email', action: { kind: 'hang' } }],
  ['Mail accepted, line cut', { channel: 'email', action: { kind: 'accept-and-drop' }, times: 1 }],
  [
    'SMTP alone is down',
    { channel: 'email', provider: 'smtp', action: { kind: 'smtp', code: 421, at: 'connect' } },
  ],
  ['SES 429 once', { channel: 'email', provider: 'ses', action: { kind: 'status', status: 429 }, times: 1 }],
  [
    'SES: sender not verified',
    {
      channel: 'email',
      provider: 'ses',
      action: { kind: 'status', status: 400, sesError: 'MessageRejected' },
    },
  ],
  [
    'SMS 429, retry after 5 s',
    { channel: 'sms', action: { kind: 'status', status: 429, retryAfter: 5 }, times: 1 },
  ],
  ['SMS 503', { channel: 'sms', action: { kind: 'status', status: 503 } }],
  [
    'SMS to an opted-out number',
    { channel: 'sms', action: { kind: 'status', status: 400, twilioCode: 21610 } },
  ],
  ['SMS hangs', { channel: 'sms', action: { kind: 'hang' } }],
  ['SMS accepted, line cut', { channel: 'sms', action: { kind: 'accept-and-drop' }, times: 1 }],
  [
    'Browser is gone (410)',
    { channel: 'push', provider: 'webpush', action: { kind: 'status', status: 410 } },
  ],
  [
    'Push service 429 once',
    {
      channel: 'push',
      provider: 'webpush',
      action: { kind: 'status', status: 429, retryAfter: 5 },
      times: 1,
    },
  ],
  [
    'App was removed (FCM)',
    {
      channel: 'push',
      provider: 'fcm',
      action: { kind: 'status', status: 404, fcmError: 'UNREGISTERED' },
    },
  ],
  ['Push hangs', { channel: 'push', action: { kind: 'hang' } }],
  ['Push accepted, line cut', { channel: 'push', action: { kind: 'accept-and-drop' }, times: 1 }],
  ['Webhook 500', { channel: 'webhook', action: { kind: 'status', status: 500 } }],
  ['Webhook 410 Gone', { channel: 'webhook', action: { kind: 'status', status: 410 } }],
  ['Webhook hangs', { channel: 'webhook', action: { kind: 'hang' } }],
  ['Webhook accepted, line cut', { channel: 'webhook', action: { kind: 'accept-and-drop' }, times: 1 }],
];

let reading = false;
let stale = false;

byId('faults-clear').addEventListener('click', () => call('DELETE', '/faults'));
byId('fault-buttons').append(
  ...PRESETS.map(([label, rule]) =>
    make('button', { type: 'button', 'data-channel': rule.channel, on: { click: () => add(rule) } }, label),
  ),
);

/** Reads the rules again and draws them. Calls that come while one is reading end in one more reading. */
export async function showFaults() {
  stale = true;
  if (reading) return;
  reading = true;
  while (stale) {
    stale = false;
    await call('GET', '/faults').then(draw, () => undefined);
  }
  reading = false;
}

function draw(rules) {
  const active = rules.filter((rule) => !usedUp(rule));
  byId('count-faults').textContent = String(active.length);
  byId('tab-faults').classList.toggle('alarm', active.length > 0);
  if (rules.length === 0)
    byId('fault-list').replaceChildren(make('li', { class: 'none' }, 'None: every provider behaves.'));
  else byId('fault-list').replaceChildren(...rules.map(row));
}

async function add(rule) {
  const recipient = byId('fault-recipient').value.trim();
  const problem = await call('POST', '/faults', recipient === '' ? rule : { ...rule, recipient }).catch(
    (error) => error,
  );
  byId('fault-recipient').setCustomValidity(problem instanceof Error ? problem.message : '');
  byId('fault-recipient').reportValidity();
}

function row(rule) {
  const { id, channel, provider, recipient, on, times, fired, probability, action } = rule;
  const { kind, ...rest } = action;
  const how = Object.entries(rest).map(
    ([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : value}`,
  );
  const often = [`${fired}${times === undefined ? '' : ` of ${times}`} played`];
  if (probability !== undefined) often.push(`chance ${probability}`);
  if (on === 'lookup') often.push('on lookups');
  return make(
    'li',
    usedUp(rule) ? { class: 'used' } : {},
    make('span', { class: 'chip', 'data-channel': channel }, provider ?? channel),
    make(
      'span',
      { class: 'rule' },
      make('strong', {}, kind === 'status' ? 'http' : kind),
      ` ${how.join(', ')}`,
      make('small', {}, `${recipient ?? 'everybody'} · ${often.join(' · ')}`),
    ),
    make(
      'button',
      {
        type: 'button',
        class: 'quiet',
        'aria-label': 'Remove this rule',
        on: { click: () => call('DELETE', `/faults/${id}`) },
      },
      '×',
    ),
  );
}

function usedUp({ times, fired }) {
  return times !== undefined && fired >= times;
}
