import type { Abilities, Found, Provider } from '@belfry/channels/provider.js';
import type { OpenProvider } from '@belfry/channels/providers.js';
import type { Limit } from '@belfry/shared/config/fields.js';
import type { Outcome, OutcomeKind } from '@belfry/shared/domain/outcome.js';

/** An outcome of this kind. */
export const outcome = (kind: OutcomeKind, code = kind as string): Outcome =>
  kind === 'sent' ? { kind, code } : { kind, code, error: 'As scripted.' };

/** What a scripted provider does, where it is not the ordinary. */
export interface Script {
  readonly name?: string;
  readonly send?: (signal: AbortSignal) => Promise<Outcome>;
  readonly find?: (signal: AbortSignal) => Promise<Found>;
  readonly abilities?: Partial<Abilities>;
  readonly rate?: Limit | null;
}

/** A provider of the sms channel that does as it is told, and counts. */
export function scripted({
  name = 'one',
  send,
  find,
  abilities,
  rate = null,
}: Script): OpenProvider & { sends: number } {
  const provider: Provider<'sms'> = {
    name,
    channel: 'sms',
    send: (_message, signal) => {
      one.sends++;
      return send?.(signal) ?? Promise.resolve(outcome('sent'));
    },
    ...(find === undefined ? {} : { find: (_message: unknown, signal: AbortSignal) => find(signal) }),
    close: async () => {},
  };
  const one = {
    account: name,
    provider,
    rate,
    abilities: { afterAmbiguous: 'ask-first', timeoutMs: 5_000, ...abilities } as const,
    sends: 0,
  };
  return one;
}
