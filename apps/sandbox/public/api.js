const CALL_MS = 10_000;

/** Calls the control API; resolves with the parsed answer, rejects with the reason in words. */
export async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    signal: AbortSignal.timeout(CALL_MS),
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const answer = text === '' ? undefined : JSON.parse(text);
  if (!response.ok) throw new Error(answer?.detail ?? `${response.status}`);
  return answer;
}

/** Follows what happens. The browser reconnects by itself. */
export function follow({ state, opened, message, cleared, faults }) {
  const stream = new EventSource('/messages/stream');
  stream.addEventListener('open', () => {
    state('live');
    opened();
  });
  stream.addEventListener('error', () => state('offline'));
  stream.addEventListener('message', (event) => message(JSON.parse(event.data)));
  stream.addEventListener('cleared', cleared);
  stream.addEventListener('faults', faults);
}
