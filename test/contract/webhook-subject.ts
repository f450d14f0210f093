import type { Load, Provider } from '@belfry/channels/provider.js';
import { webhook as definition } from '@belfry/channels/webhook/webhook.js';
import { answer, drip, endless, hang, say, sayAndClose, type WireServer } from '../support/wire-server.js';
import { awayScenes, brokenScenes, httpScene } from './http-scenes.js';
import { create, messageFor, type Subject } from './subject.js';

export const SECRET = `whsec_${Buffer.from('wire-webhook-secret-4711-4711-47').toString('base64')}`;

export const note = (to = 'https://receiver.example/hook?key=canary-url') =>
  messageFor('webhook', to, {
    title: 'canary-title',
    body: 'canary-body: rent received',
    type: 'payment_success',
    data: { amount: 12_500 },
  });

/** A provider that may go to this machine, and whose every message goes to the server at this port. */
export async function connect(
  server: Pick<WireServer, 'port'>,
  scheme = 'http',
  load: Load = { concurrency: 100 },
): Promise<Provider<'webhook'>> {
  const provider = await create(
    definition,
    {
      WEBHOOK_SECRETS: SECRET,
      WEBHOOK_ALLOW_HTTP: 'listed',
      WEBHOOK_ALLOW_ADDRESSES: '127.0.0.1 ::1',
    },
    undefined,
    load,
  );
  const to = `${scheme}://localhost:${server.port}/hook?key=canary-url`;
  return {
    name: provider.name,
    channel: provider.channel,
    send: (message, signal) => provider.send({ ...message, to }, signal),
    close: () => provider.close(),
  };
}

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
const scene = httpScene.bind(undefined, (server) => connect(server));

export const webhookSubject: Subject = {
  definition,
  message: note(),
  secrets: ['canary-url', 'canary-title', 'canary-body', 'localhost', SECRET],
  scenes: [
    scene('taken', 'answers 200', 'sent', answer(200, 'thanks')),
    scene('taken', 'answers 204', 'sent', answer(204)),
    scene('taken', 'answers 200 with HTML', 'sent', answer(200, '<html>')),
    // The status says all; nobody waits for a body.
    scene('taken', 'drips the body of its answer', 'sent', (socket) => {
      say(`${HEAD}Content-Length: 9999\r\n\r\n`)(socket);
      drip(' '.repeat(9999))(socket);
    }),
    scene('taken', 'answers without end', 'sent', endless(`${HEAD}\r\n`, ' '.repeat(10_000))),
    scene('taken', 'breaks off in its body', 'sent', sayAndClose(`${HEAD}Content-Length: 999\r\n\r\nth`)),
    scene('silent', 'never answers', 'ambiguous', hang),
    scene('silent', 'drips the head of its answer', 'ambiguous', drip(`${HEAD}X-Slow: ${'x'.repeat(9999)}`)),
    scene('broken', 'drips the body of a refusal', 'rejected', (socket) => {
      say('HTTP/1.1 400 Bad Request\r\nContent-Length: 9999\r\n\r\n')(socket);
      drip(' '.repeat(9999))(socket);
    }),
    scene('broken', 'has a head without end', 'ambiguous', endless(HEAD, `X-Long: ${'x'.repeat(1_000)}\r\n`)),
    ...brokenScenes((server) => connect(server), 'ambiguous'),
    ...awayScenes(connect, 200, 'thanks'),
  ],
};
