/* How things stand with the stream, in words. */

const find = (id) => document.getElementById(id);
/** Connecting takes a moment; only what takes longer is worth a word. */
const GRACE_MS = 1_500;

const shown = { state: '', timer: undefined, ticking: undefined };

/** Says whether the page is live. A short break is not worth a word, and the seconds are for the eyes alone. */
export function showState(state, until) {
  clearInterval(shown.ticking);
  if (state === 'live') {
    clearTimeout(shown.timer);
    shown.timer = undefined;
    return setState('live', 'Live');
  }
  if (state === 'connecting' && shown.state === 'away') find('away-text').textContent = 'Connecting…';
  if (state === 'waiting') {
    const tick = () => {
      const seconds = Math.max(1, Math.ceil((until - Date.now()) / 1_000));
      find('away-text').textContent =
        `Connection lost. New notifications will appear when it is back. Trying again in ${seconds} s.`;
    };
    tick();
    shown.ticking = setInterval(tick, 1_000);
  }
  if (shown.state === '') setState('connecting', 'Connecting…');
  if (shown.state === 'away') return;
  shown.timer ??= setTimeout(() => setState('away', 'Disconnected'), GRACE_MS);
}

function setState(state, words) {
  shown.state = state;
  find('state').hidden = false;
  find('state').dataset.state = state;
  if (find('state').textContent !== words) find('state').textContent = words;
  find('away').hidden = state !== 'away';
}

/** There is no stream any more. */
export function hideState() {
  clearTimeout(shown.timer);
  clearInterval(shown.ticking);
  Object.assign(shown, { state: '', timer: undefined, ticking: undefined });
  find('state').hidden = true;
  find('away').hidden = true;
}
