import { withDeadline } from '../service/deadline.js';

const PATIENCE_MS = 10_000;

/**
 * Tells the outside that all is well. Resolves with null, or with a short name of why nobody took it: the address is a secret and
 * in no error.
 */
export async function pingDeadMan(url: string, ending: AbortSignal): Promise<string | null> {
  const deadline = withDeadline(ending, PATIENCE_MS);
  try {
    const response = await fetch(url, {
      signal: deadline.signal,
      redirect: 'manual',
      headers: { 'user-agent': 'belfry' },
    });
    await response.body?.cancel();
    return response.ok ? null : `status-${response.status}`;
  } catch {
    return deadline.signal.aborted ? 'timeout' : 'unreachable';
  } finally {
    deadline.release();
  }
}
