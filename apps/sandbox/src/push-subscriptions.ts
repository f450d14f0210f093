import { createECDH, createHmac, type ECDH, randomBytes } from 'node:crypto';
import type { PushReader } from './push-encryption.js';

/** A browser that has subscribed, or would have. */
export interface Subscription extends PushReader {
  readonly name: string;
  /** The VAPID key that alone may send to it (RFC 8292 §4.1); null for any. */
  readonly applicationServerKey: string | null;
  readonly keys: { readonly p256dh: string; readonly auth: string };
}

export interface NewSubscription {
  readonly name: string;
  readonly applicationServerKey: string | null;
}

const MOST = 10_000;

/** The subscriptions at the sandbox's push service. Those of one name are the same each time, as long as the seed is. */
export class PushSubscriptions {
  readonly #seed: string;
  readonly #byName = new Map<string, Subscription>();
  readonly #ended = new Set<string>();

  constructor(seed: string = randomBytes(32).toString('hex')) {
    this.#seed = seed;
  }

  add({ name, applicationServerKey }: NewSubscription): Subscription {
    const privateKey = this.#privateKeyOf(name);
    const auth = this.#secret(`auth ${name}`).subarray(0, 16);
    const keys = { p256dh: privateKey.getPublicKey('base64url'), auth: auth.toString('base64url') };
    const made = { name, applicationServerKey, keys, privateKey, auth };
    this.#byName.set(name, made);
    this.#ended.delete(name);
    if (this.#byName.size > MOST) this.#forgetOldest();
    return made;
  }

  /** The subscription, or whether there was one. */
  find(name: string): Subscription | 'ended' | 'unknown' {
    return this.#byName.get(name) ?? (this.#ended.has(name) ? 'ended' : 'unknown');
  }

  list(): Subscription[] {
    return [...this.#byName.values()];
  }

  /** The names of those that have ended, as far as they are remembered. */
  listEnded(): string[] {
    return [...this.#ended];
  }

  /** The browser unsubscribes. False when there is no such subscription. */
  end(name: string): boolean {
    if (!this.#byName.delete(name)) return false;
    if (this.#ended.size < MOST) this.#ended.add(name);
    return true;
  }

  #privateKeyOf(name: string): ECDH {
    const key = createECDH('prime256v1');
    // One in 2^32 of such numbers is none of the curve's.
    for (let turn = 0; ; turn += 1) {
      try {
        key.setPrivateKey(this.#secret(`key ${turn} ${name}`));
        return key;
      } catch {}
    }
  }

  #secret(of: string): Buffer {
    return createHmac('sha256', this.#seed).update(of).digest();
  }

  #forgetOldest(): void {
    const oldest = this.#byName.keys().next();
    if (!oldest.done) this.#byName.delete(oldest.value);
  }
}
