import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns';
import { once } from 'node:events';
import type { LookupFunction } from 'node:net';

/** A name server (RFC 1035) on loopback that answers as it is told, each time anew. */
export interface NameServer {
  /** Resolves names by asking this server alone. */
  readonly lookup: LookupFunction;
  /** How often it was asked for this name. */
  asked(name: string): number;
  close(): Promise<void>;
}

/** Starts one. `answer` gives the IPv4 addresses of a name when it is asked for the `turn`th time, from 1. */
export async function nameServer(
  answer: (name: string, turn: number) => readonly string[],
): Promise<NameServer> {
  const turns = new Map<string, number>();
  const socket = createSocket('udp4');
  socket.on('message', (query, peer) => {
    const name = nameIn(query);
    const turn = (turns.get(name) ?? 0) + 1;
    turns.set(name, turn);
    socket.send(reply(query, answer(name, turn)), peer.port, peer.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const resolver = new Resolver({ timeout: 1_000, tries: 2 });
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  return {
    lookup: (name, options, callback) => {
      resolver.resolve4(name, (error, addresses) => {
        if (error !== null) return callback(error, []);
        const found = addresses.map((address) => ({ address, family: 4 }));
        if (options.all === true) callback(null, found);
        else callback(null, found[0]?.address ?? '', 4);
      });
    },
    asked: (name) => turns.get(name) ?? 0,
    close: async () => {
      resolver.cancel();
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}

const HEAD_BYTES = 12;

function nameIn(query: Buffer): string {
  const labels: string[] = [];
  for (let at = HEAD_BYTES; ; ) {
    const length = query[at] ?? 0;
    if (length === 0) return labels.join('.').toLowerCase();
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
}

/** The question again, then one A record for each address, good for no second at all. */
function reply(query: Buffer, addresses: readonly string[]): Buffer {
  const end = query.indexOf(0, HEAD_BYTES) + 5;
  const head = Buffer.alloc(HEAD_BYTES);
  query.copy(head, 0, 0, 2);
  head.writeUInt16BE(0x8580, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(addresses.length, 6);
  const records = addresses.map((address) =>
    Buffer.from([0xc0, HEAD_BYTES, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]),
  );
  return Buffer.concat([head, query.subarray(HEAD_BYTES, end), ...records]);
}
