import { QueueDown } from './queue-engine.js';

/** How long a producer waits for the engine. */
export const ENGINE_TIMEOUT_MS = 2_000;

/** Rejects with `QueueDown` when the engine has not answered in time, or failed. */
export async function bounded<Result>(work: Promise<Result>, timeoutMs = ENGINE_TIMEOUT_MS): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new QueueDown(`The queue did not answer within ${timeoutMs} ms.`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    if (error instanceof QueueDown) throw error;
    throw new QueueDown('The queue could not be reached.', { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
