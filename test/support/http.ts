/** An HTTP answer, read to its end. */
export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed JSON; an empty object when the answer was no JSON. */
  readonly body: Json;
};

/** Parsed JSON, to be looked into as deep as a test likes: `body.deliveries?.[0]?.state`. What is not there is undefined. */
export interface Json {
  readonly [name: string]: Json | undefined;
}

/** The elements of a JSON array; none when it is something else. */
export function items(json: Json | undefined): readonly Json[] {
  return Array.isArray(json) ? json : [];
}

/** Asks one thing over HTTP, on a connection of its own pool; bounded by `timeoutMs` (20 s). */
export async function ask(
  method: string,
  url: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
  timeoutMs = 20_000,
): Promise<Answer> {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: parsed(text) };
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
