import type { Channel } from './channel.js';

/**
 * An address as operators may see it: enough to recognise, not enough to use.
 * `abebe@example.org` → `a***e@example.org`, `+251911000001` → `+2519*****001`, `https://example.org/hook?key=1` →
 * `https://example.org/***`.
 */
export function maskAddress(address: string): string {
  // The path of a receiver is often its only secret.
  if (/^https?:/i.test(address)) return `${URL.parse(address)?.origin ?? 'https://'}/***`;
  const at = address.lastIndexOf('@');
  if (at > 0) return `${maskMiddle(address.slice(0, at), 1, 1)}${address.slice(at)}`;
  if (address.startsWith('+')) return maskMiddle(address, 5, 3);
  return address;
}

/** The address of a delivery in the same way: a device's is as good as a key, whatever its form. */
export function maskAddressOn(channel: Channel, address: string): string {
  return channel === 'push' ? maskDevice(address) : maskAddress(address);
}

/** The endpoint of a push subscription without its path, or the beginning of a registration token. */
export function maskDevice(address: string): string {
  return /^https?:/i.test(address) ? maskAddress(address) : `${address.slice(0, 6)}***`;
}

function maskMiddle(text: string, head: number, tail: number): string {
  if (text.length <= head + tail) return `${text.slice(0, 1)}***`;
  const hidden = Math.min(5, Math.max(3, text.length - head - tail));
  return `${text.slice(0, head)}${'*'.repeat(hidden)}${text.slice(-tail)}`;
}
