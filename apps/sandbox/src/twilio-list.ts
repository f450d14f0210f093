import type { HttpAnswer } from './http-fault.js';
import type { RecordedMessage } from './message.js';
import { TWILIO_ROOT, twilioMessage } from './twilio-json.js';

const USUAL_PAGE_SIZE = 50;
const LARGEST_PAGE_SIZE = 1_000;
const DAY_MS = 86_400_000;

/**
 * One page of Twilio's message list, newest first. Understands `From`, `DateSent`, `DateSent>`, `DateSent<` (a day in
 * UTC or a time; both bounds included), `PageSize` and `Page`; `To` has been applied by the caller.
 */
export function listPage(
  messages: readonly RecordedMessage[],
  account: string,
  query: URLSearchParams,
): HttpAnswer {
  const found = messages.filter((message) => belongs(message, account, query)).reverse();
  const size = Math.min(Math.max(Number(query.get('PageSize')) || USUAL_PAGE_SIZE, 1), LARGEST_PAGE_SIZE);
  const page = Math.max(Math.trunc(Number(query.get('Page')) || 0), 0);
  const start = page * size;
  const shown = found.slice(start, start + size);
  const body = {
    end: start + Math.max(shown.length - 1, 0),
    first_page_uri: pageUri(0),
    next_page_uri: start + size < found.length ? pageUri(page + 1) : null,
    page,
    page_size: size,
    previous_page_uri: page > 0 ? pageUri(page - 1) : null,
    messages: shown.map((message) => twilioMessage(message, 'later')),
    start,
    uri: pageUri(page),
  };
  return { status: 200, body: JSON.stringify(body) };

  function pageUri(number: number): string {
    const params = new URLSearchParams(query);
    params.set('PageSize', String(size));
    params.set('Page', String(number));
    return `${TWILIO_ROOT}/${account}/Messages.json?${params}`;
  }
}

function belongs(
  { from, details, received_at }: RecordedMessage,
  account: string,
  query: URLSearchParams,
): boolean {
  if (details?.account_sid !== account) return false;
  const sender = query.get('From');
  if (sender !== null && sender !== from) return false;
  // Twilio's dates have whole seconds, and so has the bound that a client makes of one.
  const sent = Math.floor(Date.parse(received_at) / 1_000) * 1_000;
  const on = spanOf(query.get('DateSent'));
  const since = spanOf(query.get('DateSent>'));
  const until = spanOf(query.get('DateSent<'));
  if (on !== undefined && (sent < on.first || sent > on.last)) return false;
  if (since !== undefined && sent < since.first) return false;
  return until === undefined || sent <= until.last;
}

/** A day covers its 24 hours, a time only itself. What is no date filters nothing, as with Twilio. */
function spanOf(text: string | null): { first: number; last: number } | undefined {
  const first = Date.parse(text ?? '');
  if (text === null || Number.isNaN(first)) return undefined;
  return { first, last: /^\d{4}-\d{2}-\d{2}$/.test(text) ? first + DAY_MS - 1 : first };
}
