import { createPublicKey } from 'node:crypto';
import { jwtVerify } from 'jose';

/** Why a push service does not believe a sender, with the status that RFC 8292 has for it. */
export interface Disbelief {
  readonly status: 401 | 403;
  readonly reason: string;
}

/** The longest that a token may be good for (RFC 8292 §2), and how far two clocks may be apart, in seconds. */
const LONGEST_S = 24 * 60 * 60;
const SLACK_S = 60;

/**
 * Checks the header `Authorization` of a push by RFC 8292: an ES256 token for this origin that has not expired and does not
 * live longer than a day, signed by the key beside it, which is the one that the subscription is for.
 */
export async function checkVapid(
  header: string | undefined,
  origin: string,
  applicationServerKey: string | null,
): Promise<Disbelief | { readonly subject: string | undefined }> {
  const { t, k } = parametersOf(header);
  if (t === undefined || k === undefined) return { status: 401, reason: 'there is no vapid t=…, k=…' };
  if (applicationServerKey !== null && k !== applicationServerKey)
    return { status: 403, reason: 'the subscription was made with another applicationServerKey' };
  const key = publicKeyOf(k);
  if (key === undefined) return { status: 403, reason: 'k is no point on P-256' };
  try {
    const { payload } = await jwtVerify(t, key, {
      algorithms: ['ES256'],
      audience: origin,
      requiredClaims: ['exp'],
      clockTolerance: SLACK_S,
    });
    if ((payload.exp ?? 0) > Date.now() / 1_000 + LONGEST_S + SLACK_S)
      return { status: 403, reason: 'exp is more than 24 hours away' };
    if (payload.sub !== undefined && !/^(mailto:|https:)/.test(payload.sub))
      return { status: 403, reason: 'sub is neither mailto: nor https:' };
    return { subject: payload.sub };
  } catch (error) {
    return { status: 403, reason: `the token is not good: ${error instanceof Error ? error.message : ''}` };
  }
}

function parametersOf(header = ''): { t?: string; k?: string } {
  const [, list] = /^vapid +(.+)$/i.exec(header) ?? [];
  const pairs = (list ?? '').split(',').map((pair) => /^\s*([tk])="?([\w.-]+)"?\s*$/.exec(pair));
  return Object.fromEntries(pairs.flatMap((pair) => (pair === null ? [] : [[pair[1], pair[2]]])));
}

function publicKeyOf(k: string) {
  const bytes = Buffer.from(k, 'base64url');
  if (bytes.length !== 65 || bytes[0] !== 4) return undefined;
  const [x = '', y = ''] = [bytes.subarray(1, 33), bytes.subarray(33)].map((half) =>
    half.toString('base64url'),
  );
  try {
    return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
  } catch {
    return undefined;
  }
}
