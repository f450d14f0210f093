import { call } from './api.js';
import { byId, make } from './dom.js';

const WORKER = '/push-worker.js';
// The page may make one address of a script out of text, and no other.
const policy = globalThis.trustedTypes?.createPolicy('service-worker', {
  createScriptURL(url) {
    if (url !== WORKER) throw new TypeError('another script');
    return url;
  },
});

byId('key').value = new URLSearchParams(location.search).get('key') ?? '';
void prefill();
byId('allow').addEventListener('click', async () => {
  await Notification.requestPermission();
  showPermission();
});
byId('register').addEventListener('click', () => tell('worker', register));
byId('subscribe').addEventListener('click', () => tell('subscription', subscribe));
navigator.serviceWorker.addEventListener('message', ({ data }) => showNote(data));
showPermission();

/** The key of whoever sends here, if the sandbox was told; what somebody has written stays. */
async function prefill() {
  const { public_key: key } = await call('GET', '/push/vapid-key');
  byId('key').value ||= key ?? '';
}

function showPermission() {
  byId('permission').textContent = Notification.permission;
}

async function tell(id, work) {
  byId(id).textContent = await work().catch((error) => `failed: ${error.message}`);
}

async function register() {
  await navigator.serviceWorker.register(policy?.createScriptURL(WORKER) ?? WORKER);
  await navigator.serviceWorker.ready;
  return 'ready';
}

async function subscribe() {
  const registration = await navigator.serviceWorker.ready;
  const subscription = await registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: byId('key').value.trim(),
  });
  const device = byId('device');
  device.hidden = false;
  device.textContent = JSON.stringify({ platform: 'web', subscription }, null, 2);
  return 'subscribed; POST this to /api/v1/users/{id}/devices:';
}

function showNote({ title, body }) {
  const arrived = byId('arrived');
  arrived.querySelector('.empty')?.remove();
  arrived.prepend(
    make(
      'article',
      { class: 'note' },
      make('img', { src: 'bell.svg', alt: '', width: '36', height: '36' }),
      make('div', {}, make('strong', {}, title), make('p', {}, body)),
    ),
  );
}
