import { newId } from '@belfry/shared/domain/ids.js';
import { openDatabase } from '@belfry/shared/ledger/database.js';
import { putInInboxes } from '@belfry/shared/ledger/inbox.js';
import type { Fleet } from '../support/fleet.js';

/** Puts notes with these titles into a person's inbox, as a worker does. Returns their ids. */
export async function putNotes(
  fleet: Fleet,
  personId: string,
  titles: readonly string[],
): Promise<readonly string[]> {
  const database = openDatabase({ url: fleet.databaseUrl, name: 'test', size: 1 });
  try {
    const notes = titles.map((title) => ({
      deliveryId: newId(),
      notificationId: newId(),
      channel: 'realtime' as const,
      priority: 'normal' as const,
      personId,
      to: personId,
      content: { title, body: `About ${title}`, type: 'info', data: {} },
      firstAttemptAt: new Date(),
    }));
    await putInInboxes(database, notes);
    return notes.map(({ notificationId }) => notificationId);
  } finally {
    await database.close();
  }
}
