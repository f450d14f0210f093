import { clientMessage } from '@belfry/shared/channels/realtime.js';
import type { AlertVerb } from '@belfry/shared/domain/alert.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { wasTold } from '@belfry/shared/ledger/read-alerts.js';
import { markRead } from '@belfry/shared/ledger/read-inbox.js';
import { moveAlert } from '@belfry/shared/notify/move-alert.js';
import type { Events } from '@belfry/shared/service/events.js';
import { asRefusal } from '../middleware/errors.js';
import type { Limits } from '../middleware/limits.js';
import { parse } from '../middleware/parse.js';
import { unknownAlert } from '../routes/alerts.js';

export interface ClientMessageParts {
  readonly database: Database;
  readonly limits: Limits;
  readonly events: Events;
  readonly look: (personIds: readonly string[]) => void;
}

/** What a client is answered on its own connection; null when it is answered by what happens. */
export type Reply = Readonly<Record<string, unknown>> | null;

/** Does what a client asks for on a WebSocket. What is wrong with a message is answered, and the connection stays. */
export function createClientMessages({ database, limits, events, look }: ClientMessageParts) {
  return async (personId: string, text: string): Promise<Reply> => {
    try {
      const message = parse(clientMessage, jsonOf(text));
      if (message.type === 'ping') return { type: 'pong' };
      await limits.call(personId);
      if (message.type !== 'read')
        return await answerAlert(personId, message.type, message.alert.toLowerCase());
      if (typeof (await markRead(database, personId, message.id.toLowerCase())) === 'string')
        throw new Refusal('not_found', 'There is no such note.');
      look([personId]);
      return null;
    } catch (error) {
      const refusal = asRefusal(error, {});
      if (refusal === null) throw error;
      return { type: 'error', code: refusal.reason, detail: refusal.message };
    }
  };

  /** People answer the alerts that they were told of; to anybody else one is not there. */
  async function answerAlert(personId: string, verb: AlertVerb, id: string): Promise<Reply> {
    if (!(await wasTold(database, id, personId))) throw unknownAlert(id);
    const alert = await moveAlert({ database, events }, verb, id, { name: personId, via: 'realtime' });
    if (alert === null) throw unknownAlert(id);
    const { status } = alert;
    return verb === 'acknowledge'
      ? {
          type: 'acknowledged',
          alert: id,
          status,
          acknowledged_at: alert.acknowledgedAt,
          acknowledged_by: alert.acknowledgedBy,
        }
      : {
          type: 'resolved',
          alert: id,
          status,
          resolved_at: alert.resolvedAt,
          resolved_by: alert.resolvedBy,
        };
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal('invalid', 'The message is not JSON.', { reason: 'invalid_json' });
  }
}
