import { twilio as definition } from '@belfry/channels/sms/twilio.js';
import type { WireServer } from '../support/wire-server.js';
import { httpScenes } from './http-scenes.js';
import { create, messageFor, type Subject } from './subject.js';

export const ACCOUNT = `AC${'0123456789abcdef'.repeat(2)}`;
export const TOKEN = 'wire-token-4711';
export const SID = `SM${'fedcba9876543210'.repeat(2)}`;
export const FROM = '+15005550006';

export const text = (to = '+251911234567') => messageFor('sms', to, { text: 'canary-text: rent received' });

export const connect = (server: Pick<WireServer, 'port'>, scheme = 'http') =>
  create(definition, {
    TWILIO_ACCOUNT_SID: ACCOUNT,
    TWILIO_AUTH_TOKEN: TOKEN,
    TWILIO_FROM: FROM,
    TWILIO_BASE_URL: `${scheme}://localhost:${server.port}`,
  });

/** What Twilio answers when it has taken a message. */
export const made = (more: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({
    sid: SID,
    status: 'queued',
    error_code: null,
    to: text().to,
    body: 'canary-text',
    ...more,
  });

const malformed: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['HTML', '<html>SM123</html>'],
  ['half of its JSON', made().slice(0, 20)],
  ['null', 'null'],
  ['a number', '42'],
  ['a text', '"SM123"'],
  ['a list', '[]'],
  ['an object without a sid', '{}'],
  ['a sid of something else', made({ sid: 'CA0123' })],
  ['a sid that is no text', made({ sid: 17 })],
  ['an error with a status of success', '{"code":20500,"message":"canary-text","status":500}'],
];

export const twilioSubject: Subject = {
  definition,
  message: text(),
  secrets: ['911234567', 'canary-text', TOKEN, ACCOUNT],
  scenes: httpScenes({ connect, yes: [201, made()], malformed }),
};
