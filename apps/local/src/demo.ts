import { setTimeout as delay } from 'node:timers/promises';

/** The request that the demo makes, and that the printed `curl` line repeats. */
export const DEMO_NOTIFICATION = {
  user_id: 'abebe',
  event_type: 'payment_success',
  context: {
    property_title: 'Bole Garden Apartment',
    location: 'Addis Ababa',
    tenant_name: 'Abebe Bekele',
    amount: 12500,
    currency: 'ETB',
  },
};

/** States in which nothing more happens to a delivery by itself. */
const OVER = new Set(['sent', 'delivered', 'dead', 'cancelled', 'suppressed', 'expired', 'skipped']);

type Delivery = {
  channel: string;
  state: string;
  provider?: string | null;
  to?: string | null;
  reason?: string | null;
};

/** Where to send the demo and as whom. */
export type DemoTarget = { readonly apiUrl: string; readonly token: string; readonly signal: AbortSignal };

/**
 * Sends one notification to a demo person and tells each change of each delivery, until every one is over or
 * 30 s have passed. Returns a sentence when it could not be sent or did not arrive.
 */
export async function sendDemo(
  target: DemoTarget,
  onLine: (line: string) => void,
): Promise<string | undefined> {
  const startedAt = performance.now();
  const seconds = () => `${((performance.now() - startedAt) / 1000).toFixed(2)} s`;
  const accepted = await call(target, 'POST', '/api/v1/notifications/send', DEMO_NOTIFICATION);
  if (typeof accepted === 'string') return accepted;
  const id = String(accepted.notification_id);
  onLine(`${seconds()}  accepted   ${id}`);

  const told = new Map<string, string>();
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline && !target.signal.aborted) {
    const found = await call(target, 'GET', `/api/v1/notifications/${id}`);
    if (typeof found === 'string') return found;
    const deliveries = (Array.isArray(found.deliveries) ? found.deliveries : []) as Delivery[];
    for (const [index, delivery] of deliveries.entries()) {
      const key = `${index} ${delivery.channel}`;
      if (told.get(key) === delivery.state) continue;
      told.set(key, delivery.state);
      onLine(`${seconds()}  ${describe(delivery)}`);
    }
    if (deliveries.length > 0 && deliveries.every(({ state }) => OVER.has(state))) return undefined;
    await delay(100, undefined, { signal: target.signal }).catch(() => {});
  }
  return target.signal.aborted
    ? undefined
    : `notification ${id} is not delivered on every channel after 30 s`;
}

function describe({ channel, state, provider, to, reason }: Delivery): string {
  const how = [provider && `by ${provider}`, to && `to ${to}`, reason && `(${reason})`]
    .filter(Boolean)
    .join(' ');
  return `${channel.padEnd(9)}  ${state.padEnd(10)} ${how}`.trimEnd();
}

async function call(
  { apiUrl, token, signal }: DemoTarget,
  method: string,
  path: string,
  body?: unknown,
): Promise<Record<string, unknown> | string> {
  try {
    const response = await fetch(`${apiUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(5000)]),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    if (response.ok) return answer;
    return `${method} ${path} was answered with ${response.status}: ${String(answer.detail ?? '')}`;
  } catch (error) {
    return `${method} ${path} failed: ${(error as Error).message}`;
  }
}
