/** The channels for which the sandbox stands in. A new protocol adds its channel here and its file to `app.ts`. */
export const SANDBOX_CHANNELS = ['email', 'sms', 'push', 'webhook'] as const;
export type SandboxChannel = (typeof SANDBOX_CHANNELS)[number];

/** The protocols that it speaks, and the channel that each carries. */
export const SANDBOX_PROVIDERS = {
  smtp: 'email',
  ses: 'email',
  twilio: 'sms',
  webpush: 'push',
  fcm: 'push',
  webhook: 'webhook',
} as const;
export type SandboxProvider = keyof typeof SANDBOX_PROVIDERS;

/** What a protocol hands to the recorder: one message that the sandbox has accepted. */
export interface ArrivedMessage {
  readonly channel: SandboxChannel;
  /** Everybody in the envelope, in order; at least one. For a webhook the path that it came to, for a push the subscription's name or the token. */
  readonly recipients: readonly [string, ...string[]];
  readonly from: string;
  /** The sender's own name for the delivery, where the protocol carries one. */
  readonly delivery_id: string | null;
  /** Email only: the Message-ID header with its angle brackets. */
  readonly message_id?: string;
  readonly subject?: string;
  readonly text: string;
  readonly html?: string;
  /** Header fields by lower-case name, unfolded but not decoded; a repeated field is joined with a newline. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Facts that only this protocol knows, such as Twilio's `sid`. They are kept as long as the message. */
  readonly details?: Readonly<Record<string, string>>;
  /** Octets on the wire. */
  readonly raw_size: number;
}

/** One accepted message as `GET /messages` shows it. */
export interface RecordedMessage extends ArrivedMessage {
  /** Counts up from 1 and is never used again, not even after `DELETE /messages`. */
  readonly id: number;
  /** The first of `recipients`. */
  readonly to: string;
  /** ISO 8601, the sandbox's clock. */
  readonly received_at: string;
  /** How often this delivery (without a delivery id: this Message-ID) has been accepted, this time included. */
  readonly attempts: number;
  /** True once text, html and headers have been let go to bound the memory. */
  readonly body_dropped: boolean;
}

/** True when `address` is one that `pattern` means: the same address in any case, or any address of `*@domain`. */
export function addressMatches(pattern: string, address: string): boolean {
  const wanted = pattern.toLowerCase();
  const given = address.toLowerCase();
  return wanted.startsWith('*@') ? given.endsWith(wanted.slice(1)) : wanted === given;
}
