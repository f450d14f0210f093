import type { Load, Provider } from '@belfry/channels/provider.js';
import { webhook as definition } from '@belfry/channels/webhook/webhook.js';
import { answer, type WireServer } from '../support/wire-server.js';
import { awayScenes, brokenScenes, httpScene, statusScenes } from './http-scenes.js';
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
    ...statusScenes(scene, HEAD),
    ...brokenScenes((server) => connect(server), 'ambiguous'),
    ...awayScenes(connect, 200, 'thanks'),
  ],
};
