/** The element of this id, which the page is known to have. */
export function byId(id) {
  return document.getElementById(id);
}

/** A new element. Strings become text, never markup: what is shown here was written by others. */
export function make(tag, { class: name, on = {}, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  element.append(...children);
  return element;
}

/** A drawing out of strokes, 24 by 24, in the colour of its text. */
export function drawing(...paths) {
  const names = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(names, 'svg');
  for (const [name, value] of Object.entries({
    viewBox: '0 0 24 24',
    width: '22',
    height: '22',
    'aria-hidden': 'true',
  }))
    svg.setAttribute(name, value);
  for (const d of paths) {
    const path = document.createElementNS(names, 'path');
    path.setAttribute('d', d);
    svg.append(path);
  }
  return svg;
}

/** The time of day if today, else the day as well. */
export function timeOf(iso) {
  const date = new Date(iso);
  const today = date.toDateString() === new Date().toDateString();
  return date.toLocaleString(
    undefined,
    today ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' },
  );
}
