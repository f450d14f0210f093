import { BlockList, isIP, type LookupFunction } from 'node:net';
import { type AddressRange, isIn } from './address-range.js';

/** What is not the public internet: the IANA registries of special-purpose addresses (RFC 6890), and one more. */
const CLOSED = blockList([
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  // Looks public, and is what answers every machine in Azure about itself.
  ['168.63.129.16', 32],
  // Protocol assignments: Teredo, ORCHID, benchmarking.
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]);

/**
 * The only part of IPv6 that is handed out to the public (RFC 4291 §2.4). Outside of it are loopback, link-local, site-local,
 * unique local and multicast addresses, and IPv4 in most of its dresses: mapped, compatible, translated, NAT64.
 */
const PUBLIC_V6 = blockList([['2000::', 3]]);

/** Where web servers listen. On another port something else may, that takes an HTTP request for words of its own. */
const WEB_PORTS: ReadonlySet<number> = new Set([80, 443, 8080, 8443]);

/** What a request may be sent to. */
export interface Rule {
  readonly port: number;
  /** Only to what the operator has opened. */
  readonly listedOnly: boolean;
  readonly listed: readonly AddressRange[];
}

/** True if a request may go to this address. Whatever is not an address in its usual spelling is refused. */
export function mayGoTo(address: string, { port, listedOnly, listed }: Rule): boolean {
  if (listed.some((range) => (range.port ?? port) === port && range.holds(address))) return true;
  return !listedOnly && WEB_PORTS.has(port) && isPublic(address);
}

/** The `code` of the error with which a connection to a forbidden address fails. */
export const FORBIDDEN = 'EFORBIDDEN';

/**
 * Resolves a name for a connection, and fails unless every address that came may be gone to. The connection is made to what
 * was checked here, so a name that leads elsewhere a moment later leads nowhere.
 */
export function guardedLookup(resolve: LookupFunction, rule: Rule): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, []);
      const addresses = Array.isArray(found) ? found : [];
      const [first] = addresses;
      if (first === undefined || !addresses.every(({ address }) => mayGoTo(address, rule))) {
        return callback(Object.assign(new Error('a forbidden address'), { code: FORBIDDEN }), []);
      }
      if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

function isPublic(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && !isIn(CLOSED, address) && (family === 4 || isIn(PUBLIC_V6, address));
}

function blockList(ranges: readonly (readonly [network: string, prefix: number])[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of ranges)
    list.addSubnet(network, prefix, isIP(network) === 6 ? 'ipv6' : 'ipv4');
  return list;
}
