import { createServer, type Socket } from 'node:net';
import { generate, type IConnackPacket, type Packet, parser } from 'mqtt-packet';

/** A broker of MQTT 5 in this process, for one client, that does what a test says and nothing by itself but to answer. */
export type ScriptedBroker = {
  readonly url: string;
  /** What the client sent, oldest first. */
  readonly received: readonly Packet[];
  /** How often it connected. */
  connections(): number;
  /** Sends to the client that connected last. */
  send(packet: Packet): void;
  /** Breaks the line; the session stays. */
  cut(): void;
  stop(): Promise<void>;
};

/** Starts one that says these `abilities` to whoever connects. */
export async function startScriptedBroker(
  abilities: NonNullable<IConnackPacket['properties']> = {},
): Promise<ScriptedBroker> {
  const received: Packet[] = [];
  const lines: Socket[] = [];
  const write = (line: Socket | undefined, packet: Packet) =>
    line?.write(generate(packet, { protocolVersion: 5 }));
  const server = createServer((line) => {
    lines.push(line);
    line.on('error', () => undefined);
    const reading = parser();
    reading.on('packet', (packet: Packet) => {
      received.push(packet);
      for (const answer of answersTo(packet, abilities)) write(line, answer);
    });
    line.on('data', (bytes) => reading.parse(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `mqtt://127.0.0.1:${port}`,
    received,
    connections: () => lines.length,
    send: (packet) => write(lines.at(-1), packet),
    cut: () => lines.at(-1)?.destroy(),
    async stop() {
      for (const line of lines) line.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** A session is always there already. */
function answersTo(packet: Packet, properties: NonNullable<IConnackPacket['properties']>): Packet[] {
  const { messageId = 0 } = packet;
  switch (packet.cmd) {
    case 'connect':
      return [{ cmd: 'connack', sessionPresent: true, reasonCode: 0, properties }];
    case 'subscribe':
      return [{ cmd: 'suback', messageId, granted: [2] }];
    case 'unsubscribe':
      return [{ cmd: 'unsuback', messageId, granted: [0] }];
    case 'pingreq':
      return [{ cmd: 'pingresp' }];
    case 'publish':
      return packet.qos === 1 ? [{ cmd: 'puback', messageId }] : [];
    default:
      return [];
  }
}
