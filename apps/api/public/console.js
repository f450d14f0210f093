/* The console: what the API says, shown. Everything that comes from outside is written as text, never as markup. */

const REFRESH_MS = 3_000;
/* The totals count the whole ledger, so they are asked for less often. */
const TOTALS_MS = 30_000;
const KEY = 'belfry-token';
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
/* A link such as `/?notification=<id>` opens its details, once an administrator is signed in. */
const linked = new URLSearchParams(location.search).get('notification') ?? '';
const shown = { id: UUID.test(linked) ? linked : null };

const find = (id) => document.getElementById(id);

find('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, find('token').value.trim());
  find('token').value = '';
  void refresh();
  void showTotals();
});

await Promise.all([refresh(), showTotals()]);
setInterval(() => document.hidden || refresh(), REFRESH_MS);
setInterval(() => document.hidden || showTotals(), TOTALS_MS);

async function refresh() {
  await Promise.all([showReady(), showLatest()]);
}

async function showReady() {
  const ready = find('ready');
  try {
    const { status, failing, engine } = await (await fetch('/ready')).json();
    ready.dataset.status = status;
    ready.textContent =
      failing.length === 0 ? `${status}, queues in ${engine}` : `${status}: ${failing.join(', ')}`;
  } catch {
    ready.dataset.status = 'unavailable';
    ready.textContent = 'the API does not answer';
  }
}

async function showLatest() {
  if (sessionStorage.getItem(KEY) === null) return;
  const latest = await ask('/notifications?limit=20');
  if (latest === null) return;
  find('sign-in').hidden = true;
  find('ledger').hidden = false;
  find('latest').replaceChildren(...latest.map(row));
  find('none').hidden = latest.length > 0;
  if (shown.id !== null) await showDetails(shown.id);
}

/** The API's answer, or null after saying why there is none. @param missing called when there is no such thing. */
async function ask(path, missing) {
  try {
    const answer = await fetch(`/api/v1${path}`, {
      headers: { authorization: `Bearer ${sessionStorage.getItem(KEY)}` },
    });
    if (answer.ok) return await answer.json();
    if (answer.status === 404) missing?.();
    if (answer.status === 401 || answer.status === 403) signOut((await answer.json()).detail);
  } catch {
    // The line above the form says that the API is away.
  }
  return null;
}

function signOut(reason) {
  sessionStorage.removeItem(KEY);
  find('sign-in').hidden = false;
  find('ledger').hidden = true;
  find('refused').textContent = reason === 'Forbidden' ? 'This token is not an administrator’s.' : reason;
}

async function showTotals() {
  if (sessionStorage.getItem(KEY) === null) return;
  const stats = await ask('/notifications/stats');
  if (stats === null) return;
  const bars = [
    ['Total', 'total', stats.total_notifications],
    ['Sent', 'sent', stats.total_sent],
    ['Failed', 'failed', stats.total_failed],
    ['Pending', 'pending', stats.total_pending],
    ['Cancelled', 'cancelled', stats.total_cancelled],
  ];
  const nodes = bars.flatMap(([name, of, count]) => {
    const bar = element('progress');
    bar.max = Math.max(1, stats.total_notifications);
    bar.value = count;
    bar.dataset.of = of;
    bar.setAttribute('aria-label', name);
    return [element('dt', name), bar, element('dd', count.toLocaleString())];
  });
  find('totals').replaceChildren(...nodes);
}

function row(notification) {
  const open = element('button', new Date(notification.created_at).toLocaleString());
  open.type = 'button';
  open.addEventListener('click', () => showDetails(notification.id));
  const status = element('td', notification.status);
  status.className = 'status';
  status.dataset.status = notification.status;
  const cells = [
    notification.user_id,
    nameOf(notification),
    notification.priority,
    notification.channels.join(', '),
  ];
  const line = element('tr');
  line.dataset.id = notification.id;
  const first = element('td');
  first.append(open);
  line.append(first, status, ...cells.map((text) => element('td', text || '–')));
  return line;
}

/** The event, or the title of a free message, or its type where it has none or the person was erased. */
function nameOf({ event_type, title, type }) {
  return event_type ?? title ?? type;
}

async function showDetails(id) {
  const notification = await ask(`/notifications/${id}`, () => showMissing(id));
  if (notification === null) return;
  const opened = find('details').hidden;
  shown.id = id;
  find('details').hidden = false;
  find('details-title').textContent = `${nameOf(notification)} · ${id}`;
  find('facts').replaceChildren(...factsOf(notification).flatMap(([name, value]) => fact(name, value)));
  find('timeline').replaceChildren(...notification.deliveries.flatMap(linesOf));
  if (opened) find('details').scrollIntoView({ block: 'nearest' });
}

function showMissing(id) {
  shown.id = null;
  find('details').hidden = false;
  find('details-title').textContent = `There is no notification ${id}`;
  find('facts').replaceChildren();
  find('timeline').replaceChildren();
}

function factsOf(notification) {
  return [
    ['Status', [notification.status, notification.reason].filter(Boolean).join(' · ')],
    ['Person', notification.user_id],
    ['Type', notification.type],
    ['Title', notification.title],
    ['Message', notification.message],
    ['Context', jsonOf(notification.context)],
    ['Data', jsonOf(notification.data)],
    ['Priority', notification.priority],
    ['Sender', notification.caller],
    ['Accepted', timeOf(notification.created_at)],
    ['Planned for', timeOf(notification.send_at)],
    ['Sent', timeOf(notification.sent_at)],
    ['Expires', timeOf(notification.expires_at)],
  ].filter(([, value]) => Boolean(value));
}

function fact(name, value) {
  const text = element('dd', value);
  text.dir = 'auto';
  if (name === 'Status') text.dataset.status = value.split(' ')[0];
  return [element('dt', name), text];
}

function jsonOf(values) {
  return Object.keys(values).length === 0 ? null : JSON.stringify(values);
}

function timeOf(iso) {
  return iso === null ? null : new Date(iso).toLocaleString();
}

function linesOf(delivery) {
  const facts = [delivery.to, delivery.provider, delivery.reason, timeOf(delivery.sent_at)]
    .filter(Boolean)
    .join(' · ');
  const head = element('li', `${delivery.channel} ${delivery.state} `);
  head.append(element('span', facts));
  const tries = delivery.attempts.map((attempt) => {
    const line = element('li', `${delivery.channel} attempt ${attempt.n}: ${attempt.outcome} `);
    const took = new Date(attempt.finished_at) - new Date(attempt.started_at);
    const code = attempt.code === attempt.provider ? null : attempt.code;
    const said = [attempt.provider, code].filter(Boolean).join(' ');
    line.append(element('span', `${said}, ${took} ms ${attempt.error ?? ''}`));
    return line;
  });
  return [...tries, head];
}

function element(name, text) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  return made;
}
