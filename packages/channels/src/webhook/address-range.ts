import { BlockList, isIP } from 'node:net';

/** Addresses that an operator has opened, on every port or on one. */
export interface AddressRange {
  readonly port: number | undefined;
  holds(address: string): boolean;
}

/** Reads `10.1.2.3`, `10.1.0.0/16`, `10.1.2.3:8080`, `fd00::/8` or `[fd00::1]:8080`; undefined if it is none of them. */
export function parseRange(text: string): AddressRange | undefined {
  const { plain, bracketed, port } =
    /^(?:\[(?<bracketed>[^\]]+)\]|(?<plain>[\d./]+))(?::(?<port>\d{1,5}))?$/.exec(text)?.groups ?? {};
  const [network = '', bits, ...rest] = (bracketed ?? plain ?? text).split('/');
  const family = isIP(network);
  const width = family === 6 ? 128 : 32;
  if (family === 0 || network.includes('%') || rest.length > 0) return undefined;
  if (bits !== undefined && (!/^\d{1,3}$/.test(bits) || Number(bits) > width)) return undefined;
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return undefined;
  const list = new BlockList();
  list.addSubnet(network, bits === undefined ? width : Number(bits), family === 6 ? 'ipv6' : 'ipv4');
  return { port: port === undefined ? undefined : Number(port), holds: (address) => isIn(list, address) };
}

/** True if `address` is in `list`, also one of IPv4 in the dress of IPv6 (RFC 4291 §2.5.5.2). */
export function isIn(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && !address.includes('%') && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
}
