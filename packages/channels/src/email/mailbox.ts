import { hasControl } from '@belfry/shared/domain/control.js';

/** A mailbox in parts, so that nobody has to assemble or quote a header by hand. */
export interface Mailbox {
  readonly name: string;
  readonly address: string;
}

/**
 * True for one plain address: `local@domain` of at most 254 characters (RFC 5321 §4.5.3.1), international ones included.
 * Quoted local parts, comments, groups and address literals are not taken: they are how addresses are smuggled.
 */
export function isAddress(text: string): boolean {
  return (
    text.length <= 254 && !hasControl(text) && /^[^\s@,;:()<>[\]"\\]{1,64}@[^\s@,;:()<>[\]"\\]+$/u.test(text)
  );
}

/** Reads `Name <a@b>` or `a@b`; undefined if it is neither, or if the name has a control character. */
export function parseMailbox(text: string): Mailbox | undefined {
  const parts = /^(?<name>[^<>]*)<(?<address>[^<>]+)>$/.exec(text.trim())?.groups;
  const address = (parts?.address ?? text).trim();
  const name = (parts?.name ?? '').trim().replace(/^"(.*)"$/, '$1');
  return isAddress(address) && !hasControl(name) ? { name, address } : undefined;
}

/** The domain of an address that {@link isAddress} has passed. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}
