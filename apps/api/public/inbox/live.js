/* The stream of what is new, over a WebSocket that comes back whenever it is gone. */

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** A connection that lasted so long was a good one: the next wait begins small again. */
const GOOD_MS = 5_000;
const LOOK_MS = 5_000;
const PING_MS = 20_000;
/** What has not connected by then will not. */
const CONNECT_MS = 15_000;
/** A connection on which nothing came for so long is dead, though nobody said so. */
const SILENT_MS = 50_000;
/** The server's words for an end after which nobody should come back by themselves. */
const ENDS = { 4401: 'The token has expired.', 4410: 'This session was ended.' };

/**
 * Keeps a stream open.
 *
 * @param since says the id of the last note that is known, or null.
 * @param onEvent called with each event.
 * @param onState called with `connecting`, `live` or `waiting`, and when it will be tried again.
 * @param onEnd called with a sentence when the server does not want us back.
 */
export function keepLive({ token, since, onEvent, onState, onEnd }) {
  let socket;
  let tries = 0;
  let timer;
  let looking;
  let heardAt = 0;
  let pingedAt = 0;
  let stopped = false;

  function connect() {
    clearTimeout(timer);
    if (stopped) return;
    onState('connecting');
    const url = new URL('/ws', location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    const last = since();
    if (last !== null) url.searchParams.set('since', last);
    const mine = new WebSocket(url, [`belfry.${token}`]);
    let openedAt = null;
    socket = mine;
    heardAt = performance.now();
    mine.addEventListener('open', () => {
      openedAt = heardAt = performance.now();
      onState('live');
    });
    mine.addEventListener('message', ({ data }) => {
      heardAt = performance.now();
      if (socket === mine) onEvent(JSON.parse(data));
    });
    mine.addEventListener('close', ({ code }) => {
      if (socket !== mine || stopped) return;
      if (code in ENDS) {
        stop();
        return onEnd(ENDS[code]);
      }
      if (openedAt !== null && performance.now() - openedAt > GOOD_MS) tries = 0;
      wait();
    });
  }

  /** Twice as long each time, and never all pages of the world at once. */
  function wait() {
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries);
    const ms = longest / 2 + (Math.random() * longest) / 2;
    tries += 1;
    clearTimeout(timer);
    timer = setTimeout(connect, ms);
    onState('waiting', Date.now() + ms);
  }

  function drop() {
    const old = socket;
    socket = undefined;
    old?.close();
  }

  function stop() {
    stopped = true;
    clearTimeout(timer);
    clearInterval(looking);
    removeEventListener('online', hurry);
    drop();
  }

  /** Tries now instead of later. Nothing happens while there is a connection. */
  function hurry() {
    if (stopped || (socket !== undefined && socket.readyState <= WebSocket.OPEN)) return;
    tries = 0;
    connect();
  }

  looking = setInterval(() => {
    if (socket === undefined || socket.readyState > WebSocket.OPEN) return;
    const isOpen = socket.readyState === WebSocket.OPEN;
    const silentMs = performance.now() - heardAt;
    if (silentMs > (isOpen ? SILENT_MS : CONNECT_MS)) {
      drop();
      wait();
    } else if (isOpen && performance.now() - Math.max(heardAt, pingedAt) > PING_MS) {
      pingedAt = performance.now();
      socket.send('{"type":"ping"}');
    }
  }, LOOK_MS);
  addEventListener('online', hurry);
  connect();

  return { hurry, stop };
}
