import { newId } from '../domain/ids.js';
import type { Database } from '../ledger/database.js';
import { writeCanary } from '../ledger/self-check.js';
import type { Enqueuer } from '../queue/enqueuer.js';

/** No person has this id: ids have no brackets. The inbox is asked to take the note, and has nobody to give it to. */
const NOBODY = '(canary)';
const WHERE = { channel: 'realtime', priority: 'critical' } as const;

/**
 * Sends a notification that is for nobody through all that a critical one goes through: it is committed, queued, claimed, made,
 * handed to a provider, and recorded. Nobody sees it, and it is counted nowhere.
 */
export async function sendCanary({ database, enqueuer }: CanaryParts): Promise<void> {
  const [notificationId, deliveryId] = [newId(), newId()];
  await writeCanary(database, {
    requestId: newId(),
    answer: null,
    notifications: [
      {
        id: notificationId,
        personId: null,
        eventType: null,
        templateVersion: null,
        type: 'canary',
        title: 'Canary',
        message: 'The fleet sees whether this arrives.',
        html: null,
        context: {},
        data: {},
        priority: WHERE.priority,
        caller: 'belfry',
        reason: null,
        sendAt: null,
        expiresAt: null,
        canary: true,
        deliveries: [
          { id: deliveryId, channel: WHERE.channel, address: NOBODY, state: 'queued', reason: null },
        ],
      },
    ],
  });
  enqueuer.enqueue([{ ...WHERE, deliveryId, notificationId, generation: 1, delayMs: 0 }]);
}

export interface CanaryParts {
  readonly database: Database;
  readonly enqueuer: Enqueuer;
}
