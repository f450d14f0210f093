import { clientMessage } from '@belfry/shared/channels/realtime.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { markRead } from '@belfry/shared/ledger/read-inbox.js';
import { asRefusal } from '../middleware/errors.js';
import type { Limits } from '../middleware/limits.js';
import { parse } from '../middleware/parse.js';

export interface ClientMessageParts {
  readonly database: Database;
  readonly limits: Limits;
  readonly look: (personIds: readonly string[]) => void;
}

/** What a client is answered on its own connection; null when it is answered by what happens. */
export type Reply = Readonly<Record<string, unknown>> | null;

/** Does what a client asks for on a WebSocket. What is wrong with a message is answered, and the connection stays. */
export function createClientMessages({ database, limits, look }: ClientMessageParts) {
  return async (personId: string, text: string): Promise<Reply> => {
    try {
      const message = parse(clientMessage, jsonOf(text));
      if (message.type === 'ping') return { type: 'pong' };
      await limits.call(personId);
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
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal('invalid', 'The message is not JSON.', { reason: 'invalid_json' });
  }
}
