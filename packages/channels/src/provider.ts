import type { LookupFunction } from 'node:net';
import type { Channel } from '@belfry/shared/domain/channel.js';
import type { Platform } from '@belfry/shared/domain/device.js';
import type { Message } from '@belfry/shared/domain/message.js';
import type { Outcome } from '@belfry/shared/domain/outcome.js';
import type { z } from 'zod';

/**
 * Who carries a channel. A provider says whether a message was taken, and nothing else: it never retries, sleeps,
 * counts or logs, and what is expected to go wrong is an outcome, never an exception.
 */
export interface Provider<C extends Channel = Channel> {
  readonly name: string;
  readonly channel: C;
  /** Hands one message over. Settles soon after `signal` aborts; `ambiguous` if the message may be out by then. */
  send(message: Message<C>, signal: AbortSignal): Promise<Outcome>;
  /** Asks whether an earlier attempt arrived. Only providers that can be asked have it. */
  find?(message: Message<C>, signal: AbortSignal): Promise<Found>;
  /** Ends every connection, busy ones too. Calling it twice is as calling it once. */
  close(): Promise<void>;
}

/** What a provider knows about a message that may have been handed to it before. */
export type Found =
  /** It has the message. */
  | { readonly kind: 'sent'; readonly code: string; readonly providerId?: string }
  /** It surely does not have it. */
  | { readonly kind: 'absent' }
  /** It cannot tell, or did not answer: sending again could be sending twice. */
  | { readonly kind: 'unknown'; readonly code: string; readonly error: string };

/** What a provider can do, as data: the sender reads it, nobody branches on a provider's name. */
export interface Abilities {
  /**
   * What to do with a message that may already be out. `resend-same-id`: send it again, its id makes the copies one.
   * `ask-first`: `find` decides. `resend`: nothing better is known.
   */
  readonly afterAmbiguous: 'resend-same-id' | 'ask-first' | 'resend';
  /** How long one call of `send` or `find` may take, in milliseconds. */
  readonly timeoutMs: number;
  /**
   * Every address is a server of its own: what one of them answers says nothing about the next, so no breaker and no pace
   * may span them.
   */
  readonly perReceiver?: true;
  /** Which devices it reaches. Of the accounts of a channel with devices only those are asked that reach the one at hand. */
  readonly platforms?: readonly Platform[];
}

/** What the process lends to providers whose channel ends inside Belfry. The ledger is behind it, not the network. */
export interface Ports {
  /** Puts a note in its person's inbox. Doing it twice with one delivery id is as doing it once. */
  putInInbox(message: Message<'realtime'>): Promise<void>;
  /** Resolves the names of receivers, instead of the system's own resolver. */
  readonly lookup?: LookupFunction;
  /** Whom receivers' certificates must come from, as PEM, instead of those that Node trusts. */
  readonly authorities?: readonly string[];
}

/** What a provider may expect of the process that it is made for. */
export interface Load {
  /** How many messages it is given at once at most. */
  readonly concurrency: number;
}

/** The environment as a provider sees it: names and texts. */
export type Env = Readonly<Record<string, string | undefined>>;

/** What came of knocking at a provider's door. Neither sentence holds a secret. */
export type Probe =
  | { readonly kind: 'answers'; readonly finding: string }
  /** It may be back soon; messages wait for it. */
  | { readonly kind: 'unreachable'; readonly finding: string; readonly remedy: string }
  /** It will go on refusing until somebody mends something. */
  | { readonly kind: 'refuses'; readonly finding: string; readonly remedy: string };

/** All that Belfry has to know about a provider before its SDK is loaded. */
export interface ProviderDefinition<C extends Channel = Channel, S extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly channel: C;
  readonly abilities: Abilities;
  /**
   * Keys are environment variables. Each carries a description, and `secret: true` when it is never to be shown, not even
   * in part; its errors say what to do.
   */
  readonly settings: S;
  /** True when somebody meant to switch this provider on, even if a setting is still missing. */
  configured(env: Env): boolean;
  /** Connects and signs in, sends nothing, and ends within ten seconds. Only providers where that can be done have it. */
  probe?(settings: z.output<S>): Promise<Probe>;
  /**
   * Loads the SDK and makes the provider. No connection is opened before the first message. Without `load` it expects
   * no more than a few messages at once.
   */
  create(settings: z.output<S>, ports: Ports, load?: Load): Promise<Provider<C>>;
}
