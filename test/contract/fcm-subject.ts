import type { Provider } from '@belfry/channels/provider.js';
import { fcm as definition } from '@belfry/channels/push/fcm.js';
import type { Message } from '@belfry/shared/domain/message.js';
import type { WireServer } from '../support/wire-server.js';
import { httpScenes } from './http-scenes.js';
import { create, messageFor, type Subject } from './subject.js';
import { grant, keyFile, TOKEN, tokenServer } from './token-server.js';

export const REGISTRATION = 'canary-token:APA91b-of-a-telephone';

export const push = (to = REGISTRATION): Message<'push'> => ({
  ...messageFor('push', to, {
    title: 'canary-title',
    body: 'canary-body: rent received',
    type: 'payment_success',
    data: { amount: 12_500 },
  }),
  device: { platform: 'android', keys: null },
});

export const NAME = 'projects/canary-project/messages/0:1500415314455276%31bd1c9631bd1c96';
/** What FCM answers when it has taken a message. */
export const TAKEN = JSON.stringify({ name: NAME });

const tokens = await tokenServer(() => grant());

export const connect = (
  { port }: Pick<WireServer, 'port'>,
  scheme = 'http',
  tokenUri = tokens.url,
): Promise<Provider<'push'>> =>
  create(
    definition,
    { FCM_CREDENTIALS: JSON.stringify(keyFile(tokenUri)), FCM_BASE_URL: `${scheme}://localhost:${port}` },
    undefined,
    { concurrency: 100 },
  );

const malformed: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['HTML', '<html>projects/p/messages/1</html>'],
  ['half of its JSON', TAKEN.slice(0, 20)],
  ['null', 'null'],
  ['a list', '[]'],
  ['an object without a name', '{}'],
  ['a name of something else', '{"name":"projects/p/topics/1"}'],
  ['a name that is no text', '{"name":17}'],
];

export const fcmSubject: Subject = {
  definition,
  message: push(),
  secrets: ['canary-token', 'canary-title', 'canary-body', TOKEN, 'PRIVATE KEY', 'canary-key-id'],
  scenes: httpScenes({ connect: (server, scheme) => connect(server, scheme), yes: [200, TAKEN], malformed }),
};
