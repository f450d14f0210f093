/* The inbox of one person: a list from the API, and what is new from its stream. */

import { inboxOf } from './api.js';
import { keepLive } from './live.js';
import { createNotes } from './notes.js';
import { hideState, showState } from './state.js';
import { forgetToken, keepToken, keptToken, subjectOf } from './token.js';
import { drawNotes, drawTimes, focusNear } from './view.js';

const find = (id) => document.getElementById(id);
const MINUTE_MS = 60_000;

let session = null;

find('enter').addEventListener('submit', (event) => {
  event.preventDefault();
  const token = find('token').value.trim();
  if (subjectOf(token) === null) return refuse('This is not a token.');
  find('token').value = '';
  keepToken(token);
  open(token);
});
find('leave').addEventListener('click', () => leave());
find('again').addEventListener('click', () => session?.hurry());
find('read-all').addEventListener('click', () => session?.readAll());
for (const button of document.querySelectorAll('[data-show]'))
  button.addEventListener('click', () => {
    for (const one of document.querySelectorAll('[data-show]'))
      one.setAttribute('aria-pressed', String(one === button));
    session?.draw();
  });
setInterval(() => drawTimes(find('list')), MINUTE_MS);
document.addEventListener('visibilitychange', () => document.hidden || session?.hurry());

function open(token) {
  const person = subjectOf(token);
  if (person === null) return leave('This is not a token.');
  find('enter').hidden = true;
  find('inbox').hidden = false;
  find('leave').hidden = false;
  find('person').textContent = person;
  session = createSession(person, token);
}

/** Back to the beginning. @param reason a sentence, when it was not the person who wanted that. */
function leave(reason) {
  session?.stop();
  session = null;
  forgetToken();
  drawNotes(find('list'), [], () => {});
  hideState();
  for (const id of ['inbox', 'leave']) find(id).hidden = true;
  find('enter').hidden = false;
  find('person').textContent = '';
  showCount(null);
  refuse(reason ?? '');
  find('token').focus();
}

function refuse(reason) {
  find('refused').textContent = reason;
  find('refused').hidden = reason === '';
}

function createSession(person, token) {
  const api = inboxOf(person, token);
  const notes = createNotes();
  let loaded = false;
  let stopped = false;
  let loading = null;
  let stale = false;

  function draw() {
    if (stopped) return;
    const unreadOnly = document.querySelector('[data-show="unread"]').getAttribute('aria-pressed') === 'true';
    const shown = notes.all().filter((note) => !unreadOnly || !note.read);
    drawNotes(find('list'), shown, read);
    showCount(notes.unread());
    find('read-all').disabled = notes.unread() === 0;
    find('none').hidden = !loaded || shown.length > 0;
    find('none-title').textContent = unreadOnly ? 'All caught up' : 'Nothing here yet';
    find('none-hint').textContent = unreadOnly
      ? 'You have read everything.'
      : 'What you are sent appears here at once.';
  }

  /** Asks for the whole list; once at a time, and again when it was asked for meanwhile. */
  function load() {
    if (loading !== null) {
      stale = true;
      return;
    }
    stale = false;
    const asked = notes.all();
    loading = attempt(async () => {
      notes.replace(await api.list(), asked);
      loaded = true;
      refuse('');
      draw();
    }).finally(() => {
      loading = null;
      if (stale && !stopped) load();
    });
  }

  /** Does something; what the server refuses for good is the end of the session, all else passes. */
  async function attempt(act) {
    try {
      await act();
      return true;
    } catch (error) {
      if (stopped) return false;
      if (error.status === 401 || error.status === 403 || error.status === 404) leave(error.message);
      else if (error.status === undefined) throw error;
      return false;
    }
  }

  async function read(id) {
    const hadFocus = document.activeElement?.id === `mark-${id}`;
    if (hadFocus && !focusNear(id)) find('list-title').focus();
    await change(
      () => api.read(id),
      () => notes.read(id),
      'This could not be marked as read. Try again.',
    );
  }

  async function readAll() {
    find('list-title').focus();
    await change(
      () => api.readAll(),
      () => notes.readAll(),
      'They could not be marked as read. Try again.',
    );
  }

  /** Tells the server first: what is shown as read is read. */
  async function change(ask, apply, failure) {
    if (!(await attempt(ask))) return stopped ? undefined : say(failure);
    apply();
    draw();
  }

  function take(event) {
    if (event.type === 'read') notes.read(event.id);
    else if (event.type === 'unread_count') return event.count === notes.unread() ? undefined : load();
    else if (event.type === 'resync') return load();
    else if (event.data?.id === undefined) return;
    else if (notes.arrive(event.data) && !event.data.read) {
      ring();
      say(`New: ${event.data.title}. ${event.data.message}`);
    }
    draw();
  }

  const live = keepLive({
    token,
    since: () => notes.newest(),
    onEvent: take,
    onState(state, until) {
      if (state === 'expired') return leave('The token has expired.');
      showState(state, until);
      // What was read elsewhere meanwhile is in the list alone. While nothing streams, the list still tells.
      if (state !== 'connecting') load();
    },
  });
  load();

  return {
    draw,
    readAll,
    hurry: live.hurry,
    stop() {
      stopped = true;
      live.stop();
    },
  };
}

function showCount(count) {
  find('count').hidden = !count;
  find('count').textContent = count ? String(count) : '';
  find('bell').setAttribute('aria-label', count === null ? 'Belfry' : `${count} unread`);
  document.title = count ? `(${count}) Inbox · Belfry` : 'Inbox · Belfry';
}

function say(words) {
  find('said').textContent = words;
}

function ring() {
  const bell = find('bell');
  bell.classList.remove('rings');
  // The animation begins anew only when the browser has seen it gone.
  void bell.offsetWidth;
  bell.classList.add('rings');
}

const kept = keptToken();
if (kept !== null) open(kept);
