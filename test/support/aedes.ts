import { createServer } from 'node:net';
import { Aedes } from 'aedes';

/** A broker in this process, of MQTT 3.1.1 and without shared subscriptions. */
export type AedesBroker = { readonly url: string; stop(): Promise<void> };

export async function startAedes(): Promise<AedesBroker> {
  const aedes = await Aedes.createBroker();
  const server = createServer(aedes.handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `mqtt://127.0.0.1:${port}`,
    async stop() {
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
