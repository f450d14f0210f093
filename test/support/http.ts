/** An HTTP answer, read to its end. */
export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed JSON; an empty object when the answer was no JSON. */
  readonly body: Json;
  /** From the call until the answer was read to its end. */
  readonly tookMs: number;
};

/** Parsed JSON, to be looked into as deep as a test likes: `body.deliveries?.[0]?.state`. What is not there is undefined. */
export interface Json {
  readonly [name: string]: Json | undefined;
}

/** The elements of a JSON array; none when it is something else. */
export function items(json: Json | undefined): readonly Json[] {
  return Array.isArray(json) ? json : [];
}

const apis = new Set<string>();

/** Holds every answer from this address against the API's document, from now on until `ended`. */
export function holdToDocument(url: string, ended: Promise<unknown>): void {
  const { origin } = new URL(url);
  apis.add(origin);
  void ended.then(() => apis.delete(origin));
}

/**
 * Asks one thing over HTTP, on a connection of its own pool; bounded by `timeoutMs` (20 s). Fails when the API of a fleet
 * answers something that its document does not describe.
 */
export async function ask(
  method: string,
  url: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
  timeoutMs = 20_000,
): Promise<Answer> {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const askedAt = performance.now();
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const tookMs = performance.now() - askedAt;
  const answer = { status: response.status, headers: response.headers, text, body: parsed(text), tookMs };
  if (apis.has(new URL(url).origin)) {
    // Only tests that ask an API need all that this brings.
    const { assertDocumented } = await import('./api-document/check.js');
    assertDocumented({ method, url, body, headers }, answer);
  }
  return answer;
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
