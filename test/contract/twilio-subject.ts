import { twilio as definition } from '@belfry/channels/sms/twilio.js';
import {
  type Action,
  answer,
  drip,
  endless,
  halfClose,
  hang,
  http,
  reset,
  say,
  sayAndClose,
  type WireServer,
} from '../support/wire-server.js';
import { create, messageFor, onWire, type Scene, type Subject, turning } from './subject.js';

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

const JSON_TYPE = { 'Content-Type': 'application/json' };
const HEAD = 'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n';

const scene = (
  kind: Scene['kind'],
  name: string,
  expect: Scene['expect'][number],
  action: Action,
): Scene => ({
  name,
  kind,
  expect: [expect],
  open: () => onWire((turn) => http(() => turning(turn, action)), connect),
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
  scenes: [
    scene('taken', 'takes the message', 'sent', answer(201, made(), JSON_TYPE)),
    scene('silent', 'never answers', 'ambiguous', hang),
    scene('silent', 'drips the head of its answer', 'ambiguous', drip(`${HEAD}X-Slow: ${'x'.repeat(9999)}`)),
    scene('silent', 'drips the body of its answer', 'ambiguous', (socket) => {
      say(`${HEAD}Content-Length: 9999\r\n\r\n`)(socket);
      drip(' '.repeat(9999))(socket);
    }),
    {
      ...scene('silent', 'drips the body of a refusal', 'rejected', (socket) => {
        say('HTTP/1.1 400 Bad Request\r\nContent-Length: 9999\r\n\r\n')(socket);
        drip(' '.repeat(9999))(socket);
      }),
      whenCalledOff: 'ambiguous',
    },
    scene('broken', 'drops the line when it has the request', 'ambiguous', reset),
    scene('broken', 'half-closes when it has the request', 'ambiguous', halfClose),
    scene(
      'broken',
      'breaks off in its body',
      'ambiguous',
      sayAndClose(`${HEAD}Content-Length: 999\r\n\r\n{"sid":`),
    ),
    {
      ...scene('broken', 'answers without end', 'ambiguous', endless(`${HEAD}\r\n`, ' '.repeat(10_000))),
    },
    scene('broken', 'says something that is not HTTP', 'ambiguous', say('220 mail here\r\n\r\n')),
    ...malformed.map(([name, body]) =>
      scene('broken', `answers 201 with ${name}`, 'ambiguous', answer(201, body, JSON_TYPE)),
    ),
    {
      name: 'shows a certificate of its own making',
      kind: 'broken',
      expect: ['retry'],
      open: () =>
        onWire(
          () => http(() => answer(201, made())),
          (server) => connect(server, 'https'),
          { tls: true },
        ),
    },
    {
      name: 'is not there',
      kind: 'broken',
      expect: ['retry'],
      open: async () => {
        const provider = await connect({ port: 1 });
        return { provider, reached: Promise.resolve(), quiet: async () => {}, close: () => provider.close() };
      },
    },
  ],
};
