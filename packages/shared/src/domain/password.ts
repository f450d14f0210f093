import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

/** No password is longer, in bytes: what is checked costs memory and time. */
export const LONGEST_PASSWORD = 1_024;

/*
 * scrypt (RFC 7914) with 32 MiB and three lanes, one of the settings that OWASP's Password Storage Cheat Sheet advises.
 * The spelling follows the PHC string format, with colons in the place of its dollar signs: a shell, Docker Compose and
 * some readers of `.env` files would take those for variables.
 */
const COST = { ln: 15, r: 8, p: 3 };
const SALT_BYTES = 16;
const KEY_BYTES = 32;
const SPELLING = /^scrypt:ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2}):([\w-]{22,86}):([\w-]{43})$/;

interface Hash {
  readonly salt: Buffer;
  readonly key: Buffer;
  readonly options: ScryptOptions;
}

/** True for what `hashPassword` makes, with any cost that one sign-in may cost: up to 128 MiB. */
export function isPasswordHash(text: string): boolean {
  return parse(text) !== null;
}

/** A hash of a password, of which no two are alike, as `scrypt:ln=15,r=8,p=3:<salt>:<key>`. @param cost for tests, which have no time. */
export async function hashPassword(password: string, { ln, r, p } = COST): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(password, { salt, key: Buffer.alloc(KEY_BYTES), options: optionsOf(ln, r, p) });
  return `scrypt:ln=${ln},r=${r},p=${p}:${salt.toString('base64url')}:${key.toString('base64url')}`;
}

/** Whether a password is the one of this hash, in a time that does not tell how much of it was right. */
export async function isPassword(password: string, hash: string): Promise<boolean> {
  const parsed = parse(hash);
  if (parsed === null || Buffer.byteLength(password) > LONGEST_PASSWORD) return false;
  return timingSafeEqual(await derive(password, parsed), parsed.key);
}

const MOST_BYTES = 128 * 1024 * 1024;

function parse(text: string): Hash | null {
  const [, ln, r, p, salt, key] = SPELLING.exec(text) ?? [];
  if (salt === undefined || key === undefined) return null;
  const options = optionsOf(Number(ln), Number(r), Number(p));
  const bytes = 128 * Number(options.N) * Number(options.r);
  if (Number(ln) < 14 || Number(r) < 1 || Number(p) < 1 || Number(p) > 16 || bytes > MOST_BYTES) return null;
  return { salt: Buffer.from(salt, 'base64url'), key: Buffer.from(key, 'base64url'), options };
}

function optionsOf(ln: number, r: number, p: number): ScryptOptions {
  return { N: 2 ** ln, r, p, maxmem: MOST_BYTES + 1024 * 1024 };
}

function derive(password: string, { salt, key, options }: Hash): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // The same characters can be typed in more than one way (RFC 8265 §4.2.1).
    scrypt(password.normalize('NFC'), salt, key.length, options, (error, derived) =>
      error === null ? resolve(derived) : reject(error),
    );
  });
}
