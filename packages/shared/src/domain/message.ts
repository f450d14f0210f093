import type { Channel, Priority } from './channel.js';
import type { Platform, PushKeys } from './device.js';

/** An email as its reader gets it. `subject` has no control characters; `text` is always there, `html` may be. */
export interface EmailContent {
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
}

/** A text message. Its length in segments is the provider's business. */
export interface SmsContent {
  readonly text: string;
}

/** A short note with structured data beside it: in-app inbox, push and webhook. */
export interface NoteContent {
  readonly title: string;
  readonly body: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What each channel carries. */
export interface ContentOf {
  readonly email: EmailContent;
  readonly sms: SmsContent;
  readonly realtime: NoteContent;
  readonly push: NoteContent;
  readonly webhook: NoteContent;
}

/**
 * One delivery, rendered and ready to be handed to a provider. `deliveryId` stays the same over all attempts,
 * so it is what providers derive a Message-ID, a topic or an idempotency key from.
 */
export interface Message<C extends Channel = Channel> {
  readonly deliveryId: string;
  readonly notificationId: string;
  readonly channel: C;
  readonly priority: Priority;
  /** Whom it is for; null for a bare address. */
  readonly personId: string | null;
  /** The address on this channel: a mailbox, an E.164 number, a person's id for realtime, a URL for webhook, a device's for push. */
  readonly to: string;
  readonly content: ContentOf[C];
  /** Only of a push. `keys` are those of a browser's subscription. */
  readonly device?: { readonly platform: Platform; readonly keys: PushKeys | null };
  /** How long it is still worth showing, in milliseconds from when it was claimed; absent for ever. */
  readonly expiresInMs?: number;
  /** When the first attempt began; a provider that can be asked looks for the message from here on. */
  readonly firstAttemptAt: Date;
}
