import type { Load, Ports, Provider, ProviderDefinition } from '@belfry/channels/provider.js';
import type { Channel } from '@belfry/shared/domain/channel.js';
import type { Message } from '@belfry/shared/domain/message.js';
import type { OutcomeKind } from '@belfry/shared/domain/outcome.js';
import type { z } from 'zod';
import { type Action, hang, type WireServer, wireServer } from '../support/wire-server.js';

/** A provider under the contract suite, and every way in which its other end can behave. */
export interface Subject {
  readonly definition: ProviderDefinition;
  readonly message: Message;
  /** Texts of the message and the settings that no outcome may repeat. */
  readonly secrets: readonly string[];
  readonly scenes: readonly Scene[];
}

/** One way for the other end to behave, and the only outcomes that are honest about it. */
export interface Scene {
  readonly name: string;
  /** `taken`: all goes well. `silent`: no end comes by itself, so only the deadline or an abort ends it. */
  readonly kind: 'taken' | 'silent' | 'broken';
  readonly expect: readonly OutcomeKind[];
  /** The code, where only one shows that the provider saw what was wrong. */
  readonly code?: string;
  /** Also honest when the attempt is called off at the very moment the scene turns: what came back may not be read yet. */
  readonly whenCalledOff?: OutcomeKind;
  open(): Promise<Stage>;
}

/** A scene that has begun. */
export interface Stage {
  readonly provider: Provider;
  /** Resolves when the other end has come to the point where the scene turns. */
  readonly reached: Promise<void>;
  /** Resolves when every connection has ended. */
  quiet(): Promise<void>;
  close(): Promise<void>;
}

export const NO_PORTS: Ports = {
  putInInbox: () => Promise.reject(new Error('this provider has no business with the inbox')),
};

/** Makes one provider from environment variables, as the application would. */
export async function create<C extends Channel, S extends z.ZodObject>(
  definition: ProviderDefinition<C, S>,
  env: Record<string, string>,
  ports: Ports = NO_PORTS,
  load?: Load,
): Promise<Provider<C>> {
  return definition.create(definition.settings.parse(env), ports, load);
}

/** A stage whose other end is a server on the wire. `play` is given what to call when the scene turns. */
export async function onWire(
  play: (turn: () => void) => Action,
  connect: (server: WireServer) => Promise<Provider>,
  options: { tls?: boolean } = {},
): Promise<Stage> {
  let turn = () => {};
  const reached = new Promise<void>((resolve) => {
    turn = resolve;
  });
  const server = await wireServer(play(turn), options);
  const provider = await connect(server);
  return {
    provider,
    reached,
    quiet: server.quiet,
    close: async () => {
      await provider.close();
      await server.close();
    },
  };
}

/** Does `action` and says that the scene has turned. */
export function turning(turn: () => void, action: Action = hang): Action {
  return (socket) => {
    action(socket);
    turn();
  };
}

let made = 0;

/** A message with an id of its own; the address and the text are easy to find where they should not be. */
export function messageFor<C extends Channel>(
  channel: C,
  to: string,
  content: Message<C>['content'],
): Message<C> {
  const n = String(++made).padStart(12, '0');
  return {
    deliveryId: `0190c0de-0000-7000-8000-${n}`,
    notificationId: `0190c0de-0000-7000-9000-${n}`,
    channel,
    priority: 'normal',
    personId: 'abebe',
    to,
    content,
    firstAttemptAt: new Date('2026-03-01T10:00:00.000Z'),
  };
}
