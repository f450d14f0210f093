import type { Terminal } from '../terminal.js';

const STYLES = {
  SENT: 'green',
  sent: 'green',
  delivered: 'green',
  resolved: 'green',
  PENDING: 'yellow',
  scheduled: 'yellow',
  retrying: 'yellow',
  ambiguous: 'yellow',
  retry: 'yellow',
  throttled: 'yellow',
  acknowledged: 'yellow',
  FAILED: 'red',
  dead: 'red',
  open: 'red',
  rejected: 'red',
  misconfigured: 'red',
  CANCELLED: 'gray',
  cancelled: 'gray',
  skipped: 'gray',
  suppressed: 'gray',
  expired: 'gray',
} as const;

/** A status, a state or an outcome in its colour. `text` may be padded; `word` says which it is. */
export function inColour(terminal: Terminal, word: string, text = word): string {
  const style = word in STYLES ? STYLES[word as keyof typeof STYLES] : undefined;
  return style === undefined ? text : terminal.paint(style, text);
}
