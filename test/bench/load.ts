import autocannon from 'autocannon';

/** Where calls go and what they say; the bodies are sent in turn. */
export interface Target {
  readonly url: string;
  readonly token?: string;
  readonly bodies: readonly string[];
}

const CONNECTIONS = 50;

/** Calls as fast as 50 kept connections can, for `seconds`. Returns the calls answered with 202 per second. */
export async function rateFor(target: Target, seconds: number): Promise<number> {
  const result = await fire(target, { duration: seconds });
  return result['2xx'] / result.duration;
}

/** Makes exactly `amount` calls over 50 kept connections. */
export async function callTimes(target: Target, amount: number): Promise<void> {
  const result = await fire(target, { amount });
  if (result['2xx'] !== amount) throw new Error(`${result['2xx']} of ${amount} calls were answered with 2xx`);
}

/** One call after the other on one kept connection; the time of each in milliseconds. */
export async function callInTurn(target: Target, amount: number): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < amount; index += 1) {
    const startedAt = performance.now();
    const response = await fetch(target.url, {
      method: 'POST',
      headers: headersOf(target),
      body: target.bodies[index % target.bodies.length] ?? '',
      signal: AbortSignal.timeout(10_000),
    });
    await response.text();
    times.push(performance.now() - startedAt);
    if (response.status !== 202) throw new Error(`a call was answered with ${response.status}`);
  }
  return times;
}

async function fire(target: Target, bound: { duration: number } | { amount: number }) {
  const result = await autocannon({
    url: target.url,
    method: 'POST',
    connections: CONNECTIONS,
    timeout: 20,
    headers: headersOf(target),
    requests: target.bodies.map((body) => ({ body })),
    ...bound,
  });
  // What is cut off at the end of the time is neither answered nor an error.
  if (result.non2xx > 0 || result.timeouts > 0)
    throw new Error(`${result.non2xx} calls were refused, ${result.timeouts} had no answer`);
  return result;
}

function headersOf({ token }: Target): Record<string, string> {
  return {
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
}
