/* How notes are drawn. Whatever comes from outside is written as text, never as markup. */

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];
const ago = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const drawn = new Map();

/**
 * Draws the notes in their order. What is there already stays where it is, with the focus and what was opened in it. Where a
 * button with the focus goes away, the focus goes on to that of another unread note near it, or to the heading.
 */
export function drawNotes(list, notes, onRead) {
  for (const [id, line] of drawn) {
    if (notes.some((note) => note.id === id)) continue;
    if (line.contains(document.activeElement)) passFocus(line);
    line.remove();
    drawn.delete(id);
  }
  let before = null;
  for (const note of notes) {
    const line = drawn.get(note.id) ?? newLine(note, onRead);
    drawn.set(note.id, line);
    showRead(line, note);
    const place = before === null ? list.firstElementChild : before.nextElementSibling;
    if (place !== line) list.insertBefore(line, place);
    before = line;
  }
  drawTimes(list);
}

/** Writes anew how long ago everything was. */
export function drawTimes(list) {
  for (const time of list.querySelectorAll('time')) time.textContent = sinceThen(new Date(time.dateTime));
}

function newLine(note, onRead) {
  const line = element('li');
  line.className = 'note';
  line.dataset.priority = note.priority ?? 'normal';
  if (note.fresh) line.dataset.fresh = '';
  const titleId = `title-${note.id}`;
  const body = element('article');
  body.setAttribute('aria-labelledby', titleId);
  body.append(headOf(note, titleId), textOf(note), ...detailsOf(note), footOf(note, titleId, onRead));
  line.append(markOf(note), body);
  return line;
}

/** The letter of its type, in a circle. */
function markOf({ type }) {
  const mark = element('span', [...type][0]?.toUpperCase() ?? '');
  mark.className = 'type-mark';
  mark.setAttribute('aria-hidden', 'true');
  return mark;
}

function headOf({ title, priority }, titleId) {
  const head = element('div');
  head.className = 'head';
  const words = element('h3', title);
  words.id = titleId;
  words.dir = 'auto';
  head.append(words);
  if (priority === 'critical' || priority === 'high') {
    const chip = element('span', priority);
    chip.className = 'chip';
    head.append(chip);
  }
  return head;
}

function textOf({ message }) {
  const text = element('p', message);
  text.className = 'text';
  text.dir = 'auto';
  return text;
}

function detailsOf({ data }) {
  if (data === undefined || data === null || Object.keys(data).length === 0) return [];
  const details = element('details');
  details.append(element('summary', 'Data'), element('pre', JSON.stringify(data, null, 2)));
  return [details];
}

function footOf(note, titleId, onRead) {
  const foot = element('div');
  foot.className = 'foot';
  const time = element('time');
  time.dateTime = note.created_at;
  time.title = full.format(new Date(note.created_at));
  const button = element('button', 'Mark read');
  button.type = 'button';
  button.className = 'mark';
  button.id = `mark-${note.id}`;
  button.setAttribute('aria-labelledby', `${button.id} ${titleId}`);
  button.addEventListener('click', () => onRead(note.id));
  const read = element('span', 'Read');
  read.className = 'done';
  foot.append(time, element('span', note.type), button, read);
  return foot;
}

function showRead(line, { read }) {
  const mark = line.querySelector('.mark');
  if (read && mark === document.activeElement) passFocus(line);
  line.dataset.read = String(read);
  mark.hidden = read;
  line.querySelector('.done').hidden = !read;
}

function passFocus(line) {
  for (const way of ['nextElementSibling', 'previousElementSibling'])
    for (let other = line[way]; other; other = other[way]) {
      const button = other.querySelector('.mark:not([hidden])');
      if (button !== null) return button.focus();
    }
  document.getElementById('list-title').focus();
}

function sinceThen(then) {
  const past = Date.now() - then;
  const [unit, length] = UNITS.find(([, length]) => past >= length) ?? [];
  return unit === undefined ? 'just now' : ago.format(-Math.floor(past / length), unit);
}

function element(name, text) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  return made;
}
