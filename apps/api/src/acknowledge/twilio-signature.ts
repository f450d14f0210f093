import { createHmac, timingSafeEqual } from 'node:crypto';

/** The fields of a form; one that came twice has a list. */
export type Form = Readonly<Record<string, string | readonly string[]>>;

/**
 * Whether Twilio signed a request (Twilio, "Validating requests"): an HMAC-SHA1 over the address that it was sent to and every
 * field, in the order of the names. The SDK would do it, and the API loads none.
 *
 * @param url the whole address as it is set at Twilio. The port may be in what was signed or not.
 */
export function isSignedByTwilio(authToken: string, signature: string, url: string, form: Form): boolean {
  const given = Buffer.from(signature, 'base64');
  const fields = Object.keys(form)
    .sort()
    .map((name) => name + valuesOf(form[name]).join(name))
    .join('');
  return spellingsOf(url)
    .map((spelling) =>
      createHmac('sha1', authToken)
        .update(Buffer.from(spelling + fields, 'utf8'))
        .digest(),
    )
    .some((expected) => given.length === expected.length && timingSafeEqual(given, expected));
}

/** Each value once, in order: what the SDK makes of a field that came twice. */
function valuesOf(value: Form[string] = []): string[] {
  return [...new Set([value].flat())].sort();
}

/** The address with the port and without it; taken apart as text, since every character of it was signed as it is. */
function spellingsOf(url: string): string[] {
  const [, scheme = '', host = '', port, rest = ''] =
    /^(\w+:\/\/)(\[[^\]]*\]|[^/?#:]*)(:\d+)?(.*)$/.exec(url) ?? [];
  const usual = scheme === 'https://' ? ':443' : ':80';
  return [...new Set([url, scheme + host + rest, scheme + host + (port ?? usual) + rest])];
}
