import type { Message } from '@belfry/shared/domain/message.js';
import type { Outcome } from '@belfry/shared/domain/outcome.js';
import { z } from 'zod';
import { byMissingAnswer } from '../classify.js';
import type { Ports, Provider, ProviderDefinition } from '../provider.js';
import { orAborted, whyAborted } from '../signals.js';

const settings = z.object({});

/** The in-app inbox: a note is sent when it is in the ledger. Open sessions are told by whoever keeps the inbox. */
export const inbox: ProviderDefinition<'realtime', typeof settings> = {
  name: 'inbox',
  channel: 'realtime',
  abilities: { afterAmbiguous: 'resend-same-id', timeoutMs: 5_000 },
  settings,
  configured: () => true,
  create: async (_settings, ports) => new Inbox(ports),
};

class Inbox implements Provider<'realtime'> {
  readonly name = 'inbox';
  readonly channel = 'realtime';
  readonly #ports: Ports;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  async send(message: Message<'realtime'>, signal: AbortSignal): Promise<Outcome> {
    if (signal.aborted) return byMissingAnswer(whyAborted(signal), false);
    return orAborted(this.#put(message), signal, () => byMissingAnswer(whyAborted(signal), true));
  }

  async close(): Promise<void> {}

  async #put(message: Message<'realtime'>): Promise<Outcome> {
    try {
      await this.#ports.putInInbox(message);
      return { kind: 'sent', code: 'inbox', providerId: message.deliveryId };
    } catch {
      // The ledger may have committed before the line broke, but putting it in again is harmless.
      return { kind: 'retry', code: 'inbox-unavailable', error: 'The inbox could not be written.' };
    }
  }
}
