import type { WorkerSettings } from '@belfry/shared/config/settings.js';
import type { Channel } from '@belfry/shared/domain/channel.js';
import { concurrencyOf, type DeliveryQueue, partsOf } from '@belfry/shared/queue/topology.js';

/** How many deliveries of a queue this worker has in hand at most. */
export function concurrencyFor(queue: DeliveryQueue, settings: WorkerSettings): number {
  const { channel, priority } = partsOf(queue);
  return concurrencyOf(priority, settings.concurrency[channel]);
}

/** How many messages a channel's providers are given at once at most, over all queues that this worker serves. */
export function loadOf(
  queues: readonly DeliveryQueue[],
  settings: WorkerSettings,
): Partial<Record<Channel, number>> {
  const load: Partial<Record<Channel, number>> = {};
  for (const queue of queues) {
    const { channel } = partsOf(queue);
    load[channel] = (load[channel] ?? 0) + concurrencyFor(queue, settings);
  }
  return load;
}
