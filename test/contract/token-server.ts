import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** Checks what the service account of these tests signs. */
export const SIGNED_BY = publicKey;

/** The key file of a service account of nobody, whose tokens come from `tokenUri`. */
export const keyFile = (tokenUri: string) => ({
  type: 'service_account',
  project_id: 'canary-project',
  private_key_id: 'canary-key-id',
  private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  client_email: 'belfry@canary-project.iam.gserviceaccount.com',
  token_uri: tokenUri,
});

/** What a token endpoint does with a request. */
export type Grant = (request: IncomingMessage, form: URLSearchParams, response: ServerResponse) => void;

export const TOKEN = 'canary-access-token';

export const grant =
  (token = TOKEN, seconds = 3_599): Grant =>
  (_request, _form, response) =>
    void response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ access_token: token, expires_in: seconds, token_type: 'Bearer' }));

/** A token endpoint that does as `act` says, asked anew for every request. It keeps no process alive. */
export async function tokenServer(act: () => Grant): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => act()(request, new URLSearchParams(body), response));
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
