import { createECDH } from 'node:crypto';
import type { Provider } from '@belfry/channels/provider.js';
import { webpush as definition } from '@belfry/channels/push/webpush.js';
import type { Message } from '@belfry/shared/domain/message.js';
import { answer, CERTIFICATE, type WireServer } from '../support/wire-server.js';
import { awayScenes, brokenScenes, httpScene, statusScenes } from './http-scenes.js';
import { create, messageFor, NO_PORTS, type Subject } from './subject.js';

const server = createECDH('prime256v1');
server.generateKeys();

/** A pair of VAPID keys. */
export const VAPID = {
  VAPID_SUBJECT: 'mailto:ops@belfry.test',
  VAPID_PUBLIC_KEY: server.getPublicKey('base64url'),
  VAPID_PRIVATE_KEY: server.getPrivateKey('base64url'),
};

/** A browser: the keys of its subscription, with the private one that never leaves it. */
export const browser = createECDH('prime256v1');
browser.generateKeys();
export const AUTH = Buffer.from('wire-push-secret').toString('base64url');

export const push = (to = 'https://push.example/send/canary-path'): Message<'push'> => ({
  ...messageFor('push', to, {
    title: 'canary-title',
    body: 'canary-body: rent received',
    type: 'payment_success',
    data: { amount: 12_500 },
  }),
  device: { platform: 'web', keys: { p256dh: browser.getPublicKey('base64url'), auth: AUTH } },
});

/** A provider that may go to this machine, and whose every message goes to the server at this port. It is trusted unless a scheme is given. */
export async function connect(
  { port }: Pick<WireServer, 'port'>,
  scheme?: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Provider<'push'>> {
  const settings = { ...VAPID, PUSH_ALLOW_ADDRESSES: '127.0.0.1 ::1', ...env };
  const ports = scheme === undefined ? { ...NO_PORTS, authorities: [CERTIFICATE] } : NO_PORTS;
  const provider = await create(definition, settings, ports, { concurrency: 100 });
  const to = `https://localhost:${port}/send/canary-path`;
  return {
    name: provider.name,
    channel: provider.channel,
    send: (message, signal) => provider.send({ ...message, to }, signal),
    close: () => provider.close(),
  };
}

const HEAD = 'HTTP/1.1 201 Created\r\n';
const TLS = { tls: true };
const scene = (
  ...[kind, name, expect, action]: Parameters<typeof httpScene> extends [unknown, ...infer Rest]
    ? Rest
    : never
) => httpScene(connect, kind, name, expect, action, TLS);

export const webpushSubject: Subject = {
  definition,
  message: push(),
  secrets: ['canary-path', 'canary-title', 'canary-body', 'localhost', AUTH, ...Object.values(VAPID)],
  scenes: [
    scene('taken', 'answers 201', 'sent', answer(201)),
    scene('taken', 'answers 201 with a location', 'sent', answer(201, '', { Location: '/message/1' })),
    scene('taken', 'answers 200', 'sent', answer(200, 'thanks')),
    ...statusScenes(scene, HEAD),
    ...brokenScenes(connect, 'ambiguous', TLS),
    ...awayScenes((at, scheme) => connect(at, scheme), 201, ''),
  ],
};
