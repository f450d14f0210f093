import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/** Where somebody who was told of an alert acknowledges it without signing in. */
export const LINK_PATH = '/a';

/** A link that is older, in days, is good no more. */
export const LINK_DAYS = 7;

/** Nothing else is ever derived from the secret under this name. */
const PURPOSE = 'belfry acknowledge link v1';
const ID_BYTES = 16;
/** 96 bits: nobody guesses them, and an SMS pays for each character. */
const PROOF_BYTES = 12;
const TOKEN = /^[\w-]{38}$/;

export interface AcknowledgeLinks {
  /** The link of the notification that told somebody of an alert. */
  urlOf(notificationId: string): string;
  /** The notification that a token was made for; null for one that was not made here. */
  notificationIn(token: string): string | null;
}

/**
 * The signed links of an installation. A token names a notification, and with it the alert and the person; 12 bytes of an HMAC
 * (RFC 2104, SHA-256) prove that it was made here, by a key that is made of the installation's secret by HKDF (RFC 5869). So
 * nothing has to be stored, and nothing that could be used is in the ledger.
 *
 * @param publicUrl where people reach the API, without a slash at its end.
 */
export function createAcknowledgeLinks(publicUrl: string, secret: string): AcknowledgeLinks {
  const key = Buffer.from(hkdfSync('sha256', secret, '', PURPOSE, 32));
  const proofOf = (id: Buffer) => createHmac('sha256', key).update(id).digest().subarray(0, PROOF_BYTES);
  return {
    urlOf(notificationId) {
      const id = Buffer.from(notificationId.replaceAll('-', ''), 'hex');
      return `${publicUrl}${LINK_PATH}/${Buffer.concat([id, proofOf(id)]).toString('base64url')}`;
    },
    notificationIn(token) {
      if (!TOKEN.test(token)) return null;
      const bytes = Buffer.from(token, 'base64url');
      const id = bytes.subarray(0, ID_BYTES);
      if (!timingSafeEqual(bytes.subarray(ID_BYTES), proofOf(id))) return null;
      return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    },
  };
}
