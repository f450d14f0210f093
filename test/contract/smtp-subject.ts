import { smtp as definition } from '@belfry/channels/email/smtp.js';
import type { Load } from '@belfry/channels/provider.js';
import type { OutcomeKind } from '@belfry/shared/domain/outcome.js';
import {
  type Action,
  drip,
  endless,
  halfClose,
  hang,
  reset,
  type SmtpScript,
  say,
  sayAndClose,
  smtp,
  type WireServer,
} from '../support/wire-server.js';
import { create, messageFor, onWire, type Scene, type Subject, turning } from './subject.js';

const USER = 'wire-user';
const PASSWORD = 'wire-pass-4711';
const FROM = 'Belfry <no-reply@sender.example>';

export const mail = (to = 'abebe.kebede@reader.example') =>
  messageFor('email', to, {
    subject: 'Rent received',
    text: 'canary-body: thank you',
    html: '<p>canary-body</p>',
  });

/** A provider that talks to `server`, with a login when the server is to ask for one. */
export const connect = (server: WireServer, login = false, scheme = 'smtp', load?: Load) =>
  create(
    definition,
    {
      SMTP_URL: `${scheme}://${login ? `${USER}:${PASSWORD}@` : ''}localhost:${server.port}`,
      MAIL_FROM: FROM,
    },
    undefined,
    load,
  );

type Play = (turn: () => void) => SmtpScript;

const scene = (kind: Scene['kind'], name: string, expect: OutcomeKind, play: Play): Scene => ({
  name,
  kind,
  expect: [expect],
  open: () => onWire((turn) => smtp(() => play(turn)), connect),
});

const afterMessage = (name: string, kind: Scene['kind'], action: Action): Scene =>
  scene(kind, name, 'ambiguous', (turn) => ({ message: turning(turn, action) }));

const malformed = [
  'ok',
  '2',
  '20',
  '2500',
  '250taken',
  '<html>250</html>',
  '999 what',
  '354 again',
  '100 soon',
  '\0\0\0',
];

export const smtpSubject: Subject = {
  definition,
  message: mail(),
  secrets: ['abebe', 'reader.example', 'canary-body', 'Rent received', PASSWORD],
  scenes: [
    scene('taken', 'takes the message', 'sent', (turn) => ({ onMessage: turn })),
    scene('silent', 'never greets', 'retry', (turn) => ({ greeting: turning(turn) })),
    scene('silent', 'drips its greeting', 'retry', (turn) => ({
      greeting: turning(turn, drip('220-x\r\n'.repeat(99))),
    })),
    scene('silent', 'hangs at the recipient', 'retry', (turn) => ({ RCPT: turning(turn) })),
    scene('silent', 'hangs before the message', 'retry', (turn) => ({ DATA: turning(turn) })),
    afterMessage('hangs after the message', 'silent', hang),
    afterMessage('drips its answer to the message', 'silent', drip('250-x\r\n'.repeat(99))),
    scene('broken', 'drops the line at once', 'retry', (turn) => ({ greeting: turning(turn, reset) })),
    scene('broken', 'drops the line at the sender', 'retry', (turn) => ({ MAIL: turning(turn, reset) })),
    scene('broken', 'closes before the message', 'retry', (turn) => ({ DATA: turning(turn, halfClose) })),
    afterMessage('drops the line after the message', 'broken', reset),
    afterMessage('half-closes after the message', 'broken', halfClose),
    {
      ...afterMessage('answers without end', 'broken', endless('', '250-x\r\n'.repeat(1000))),
      code: 'EPROTOCOL',
    },
    {
      ...afterMessage('answers without a line break', 'broken', endless('250 ', 'x'.repeat(10_000))),
      code: 'EPROTOCOL',
    },
    afterMessage('breaks off in the middle of its answer', 'broken', sayAndClose('25')),
    ...malformed.map((text) => afterMessage(`answers ${JSON.stringify(text)}`, 'broken', say(`${text}\r\n`))),
    scene('broken', 'greets with HTML', 'retry', (turn) => ({ greeting: turning(turn, say('<html>\r\n')) })),
    scene('broken', 'answers everything before it is asked', 'ambiguous', (turn) => ({
      MAIL: turning(turn, say('250 a\r\n250 b\r\n354 c\r\n250 d\r\n')),
      RCPT: hang,
      DATA: hang,
    })),
    {
      name: 'shows a certificate of its own making',
      kind: 'broken',
      expect: ['retry'],
      open: () =>
        onWire(
          (turn) => smtp(() => ({ onMessage: turn })),
          (server) => connect(server, false, 'smtps'),
          { tls: true },
        ),
    },
  ],
};
