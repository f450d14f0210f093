/** What a device runs, which decides who carries a push to it: Web Push for browsers, FCM for the others. */
export const PLATFORMS = ['web', 'ios', 'android'] as const;
export type Platform = (typeof PLATFORMS)[number];

/** What a browser's subscription is encrypted to (RFC 8291), base64url. */
export interface PushKeys {
  readonly p256dh: string;
  readonly auth: string;
}
