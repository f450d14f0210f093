import { after, before } from 'node:test';
import type { Provider } from '@belfry/channels/provider.js';
import type { Channel } from '@belfry/shared/domain/channel.js';
import { type Action, http, type WireRequest, type WireServer, wireServer } from '../support/wire-server.js';

/** A provider and the HTTP server that it talks to. */
export interface Connected<C extends Channel> {
  readonly provider: Provider<C>;
  readonly server: WireServer;
}

/** Opens both before the tests of the suite it is called in, and closes them after them. `act` answers every request. */
export function withProvider<C extends Channel>(
  connect: (server: WireServer) => Promise<Provider<C>>,
  act: (request: WireRequest) => Action,
): Connected<C> {
  let open: Connected<C> | undefined;
  const get = () => {
    if (open === undefined) throw new Error('The provider is there only while the tests run.');
    return open;
  };
  before(async () => {
    const server = await wireServer(http(act));
    open = { server, provider: await connect(server) };
  });
  after(async () => {
    await open?.provider.close();
    await open?.server.close();
  });
  return {
    get provider() {
      return get().provider;
    },
    get server() {
      return get().server;
    },
  };
}
