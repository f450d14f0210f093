import { call, follow } from './api.js';
import { byId } from './dom.js';
import { showFaults } from './faults.js';
import { showHooks } from './hooks.js';
import { showMail } from './mail.js';
import { showPhones } from './phone.js';
import { showPushes } from './push.js';

const MOST_SHOWN = 1000;
const TABS = ['mail', 'sms', 'push', 'hooks', 'faults'];

const messages = new Map();
const filter = byId('filter');
let drawing = false;

for (const name of TABS) byId(`tab-${name}`).addEventListener('click', () => openTab(name));
filter.addEventListener('input', draw);
byId('clear').addEventListener('click', () => call('DELETE', '/messages'));
addEventListener('hashchange', () => openTab(location.hash.slice(1)));

openTab(location.hash.slice(1));
follow({
  state: (words) => {
    byId('live').textContent = words;
    byId('live').dataset.state = words;
  },
  // After a gap the list is read anew: the stream only replays a part, and nothing after a restart.
  opened: load,
  message: (message) => {
    messages.set(message.id, message);
    draw();
  },
  cleared: () => {
    messages.clear();
    draw();
  },
  faults: () => showFaults(),
});

async function load() {
  // What streams in while the answer is on its way is newer than the answer, and stays.
  const before = [...messages.keys()];
  const found = await call('GET', `/messages?bodies=no&limit=${MOST_SHOWN}`);
  for (const id of before) messages.delete(id);
  for (const message of found) messages.set(message.id, message);
  draw();
  await showFaults();
}

function openTab(wanted) {
  const open = TABS.includes(wanted) ? wanted : 'mail';
  for (const name of TABS) {
    byId(name).hidden = name !== open;
    byId(`tab-${name}`).setAttribute('aria-selected', String(name === open));
  }
  if (wanted === open && location.hash !== `#${open}`) history.replaceState(null, '', `#${open}`);
}

// Thousands of messages may come in a second; the page is drawn once for all of them.
function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    const all = [...messages.values()].sort((a, b) => a.id - b.id);
    for (const { id } of all.splice(0, Math.max(0, all.length - MOST_SHOWN))) messages.delete(id);
    const words = filter.value.trim().toLowerCase();
    const shown = all.filter((message) => words === '' || textOf(message).includes(words));
    const mail = shown.filter(({ channel }) => channel === 'email');
    const sms = shown.filter(({ channel }) => channel === 'sms');
    const pushes = shown.filter(({ channel }) => channel === 'push');
    const hooks = shown.filter(({ channel }) => channel === 'webhook');
    byId('count-mail').textContent = String(mail.length);
    byId('count-sms').textContent = String(sms.length);
    byId('count-push').textContent = String(pushes.length);
    byId('count-hooks').textContent = String(hooks.length);
    showMail(mail);
    showPhones(sms);
    showPushes(pushes);
    showHooks(hooks);
  });
}

function textOf({ to, from, subject = '', preview, delivery_id }) {
  return `${to} ${from} ${subject} ${preview} ${delivery_id ?? ''}`.toLowerCase();
}
