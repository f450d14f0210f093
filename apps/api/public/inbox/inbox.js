/* The page: whose inbox it is, what is shown of it, and what its buttons do. */

import { openSession } from './session.js';
import { hideState, showState } from './state.js';
import { forgetToken, keepToken, keptToken, subjectOf } from './token.js';
import { drawNotes, drawTimes } from './view.js';

const MINUTE_MS = 60_000;
const find = (id) => document.getElementById(id);
const filters = [...document.querySelectorAll('[data-show]')];

let session = null;

find('enter').addEventListener('submit', (event) => {
  event.preventDefault();
  const token = find('token').value.trim();
  find('token').value = '';
  enter(token);
});
find('leave').addEventListener('click', () => leave());
find('again').addEventListener('click', () => session?.hurry());
find('read-all').addEventListener('click', readAll);
for (const button of filters)
  button.addEventListener('click', () => {
    for (const one of filters) one.setAttribute('aria-pressed', String(one === button));
    draw();
  });
document.addEventListener('visibilitychange', () => document.hidden || session?.hurry());
setInterval(() => drawTimes(find('list')), MINUTE_MS);

const kept = keptToken();
if (kept !== null) enter(kept);

function enter(token) {
  const person = subjectOf(token);
  if (person === null) return leave('This is not a token.');
  keepToken(token);
  refuse('');
  find('enter').hidden = true;
  find('inbox').hidden = false;
  find('leave').hidden = false;
  find('person').textContent = person;
  session = openSession({ person, token, onChange: draw, onNew: welcome, onState: showState, onEnd: leave });
}

/** Back to the beginning. @param reason a sentence, when it was not the person who wanted that. */
function leave(reason = '') {
  session?.stop();
  session = null;
  forgetToken();
  hideState();
  complain('');
  draw();
  find('inbox').hidden = true;
  find('leave').hidden = true;
  find('enter').hidden = false;
  find('person').textContent = '';
  find('token').focus();
  refuse(reason);
}

function refuse(reason) {
  find('refused').textContent = reason;
  find('refused').hidden = reason === '';
}

function draw() {
  const unreadOnly = filters.some((one) => one.dataset.show === 'unread' && one.ariaPressed === 'true');
  const notes = session?.notes.all().filter((note) => !unreadOnly || !note.read) ?? [];
  drawNotes(find('list'), notes, read);
  find('none').hidden = session?.isLoaded() !== true || notes.length > 0;
  find('none-title').textContent = unreadOnly ? 'All caught up' : 'Nothing here yet';
  find('none-hint').textContent = unreadOnly
    ? 'You have read everything.'
    : 'What you are sent appears here at once.';
  showCount(session?.notes.unread() ?? 0);
}

function showCount(count) {
  find('count').hidden = count === 0;
  find('count').textContent = String(count);
  find('bell').setAttribute('aria-label', session === null ? 'Belfry' : `${count} unread`);
  find('read-all').disabled = count === 0;
  document.title = count === 0 ? 'Inbox · Belfry' : `(${count}) Inbox · Belfry`;
}

async function read(id) {
  const done = await session.read(id);
  complain(done ? '' : 'This could not be marked as read. Try again.');
}

async function readAll() {
  const done = await session.readAll();
  complain(done ? '' : 'They could not be marked as read. Try again.');
  // The button is off now, and would swallow the focus.
  if (done) find('list-title').focus();
}

/** Rings the bell for a note that has just come. */
function welcome({ title, message }) {
  say(`New: ${title}. ${message}`);
  const bell = find('bell');
  bell.classList.remove('rings');
  // The animation begins anew only when the browser has seen it gone.
  void bell.offsetWidth;
  bell.classList.add('rings');
}

/** Shows and says what did not work; nothing takes it away. */
function complain(words) {
  find('trouble').textContent = words;
  find('trouble').hidden = words === '';
  if (words !== '') say(words);
}

/** Says something to whoever does not see the page. */
function say(words) {
  find('said').textContent = words;
}
