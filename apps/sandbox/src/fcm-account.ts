import { createPublicKey, generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { jwtVerify } from 'jose';
import { kept } from './kept-file.js';

/** The Firebase project that the sandbox is. */
export const PROJECT = 'belfry-sandbox';
const EMAIL = `belfry@${PROJECT}.iam.gserviceaccount.com`;
const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
const FILE = 'service-account-key.pem';
const LIFE_S = 3_600;
const MOST_TOKENS = 1_000;

/** The service account of the sandbox's Firebase project, and the access tokens that it was given. */
export class FcmAccount {
  readonly #folder: string | undefined;
  readonly #tokens = new Map<string, number>();
  #key: Promise<string> | undefined;

  constructor(folder: string | undefined) {
    this.#folder = folder;
  }

  /** The account's key file, for `FCM_CREDENTIALS`. */
  async keyFile(tokenUri: string) {
    const private_key = await this.#privateKey();
    return {
      type: 'service_account',
      project_id: PROJECT,
      private_key_id: 'sandbox',
      private_key,
      client_email: EMAIL,
      token_uri: tokenUri,
    };
  }

  /** Exchanges an assertion (RFC 7523) for an access token; undefined for one that this account has not signed for here. */
  async grant(assertion: string, tokenUri: string) {
    try {
      const key = createPublicKey(await this.#privateKey());
      const { payload } = await jwtVerify(assertion, key, {
        algorithms: ['RS256'],
        issuer: EMAIL,
        audience: tokenUri,
        requiredClaims: ['exp', 'iat'],
        maxTokenAge: LIFE_S,
      });
      if (payload.scope !== SCOPE) return undefined;
    } catch {
      return undefined;
    }
    const access_token = `sandbox.${randomBytes(24).toString('base64url')}`;
    this.#tokens.set(access_token, performance.now() + LIFE_S * 1_000);
    const oldest = this.#tokens.keys().next();
    if (this.#tokens.size > MOST_TOKENS && !oldest.done) this.#tokens.delete(oldest.value);
    return { access_token, expires_in: LIFE_S - 1, token_type: 'Bearer' };
  }

  /** Whether a token was given out here and has not expired. */
  knows(token: string): boolean {
    return (this.#tokens.get(token) ?? 0) > performance.now();
  }

  /** As Google does when a key is withdrawn: tokens that were given out are good no more. */
  withdraw(): void {
    this.#tokens.clear();
  }

  #privateKey(): Promise<string> {
    this.#key ??= kept(this.#folder, FILE, async () => {
      const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
      return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    });
    return this.#key;
  }
}
