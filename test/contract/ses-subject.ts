import { ses as definition } from '@belfry/channels/email/ses.js';
import type { WireServer } from '../support/wire-server.js';
import { httpScenes } from './http-scenes.js';
import { mail } from './smtp-subject.js';
import { create, type Subject } from './subject.js';

export const KEY_ID = 'AKIAWIRE4711';
export const SECRET = 'wire-secret-4711';
export const MESSAGE_ID = '0100018f-0000-4000-8000-000000000000-000000';

/** A provider whose SES is the server at this port. */
export const connect = (
  server: Pick<WireServer, 'port'>,
  scheme = 'http',
  from = 'no-reply@sender.example',
) =>
  create(definition, {
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: KEY_ID,
    AWS_SECRET_ACCESS_KEY: SECRET,
    SES_ENDPOINT: `${scheme}://localhost:${server.port}`,
    MAIL_FROM: `Belfry <${from}>`,
  });

/** What SES answers when it has taken a message. */
export const made = (id: unknown = MESSAGE_ID) => JSON.stringify({ MessageId: id });

export const sesSubject: Subject = {
  definition,
  message: mail(),
  secrets: ['abebe', 'reader.example', 'canary-body', 'Rent received', KEY_ID, SECRET],
  scenes: httpScenes({
    connect: (server, scheme) => connect(server, scheme),
    yes: [200, made()],
    malformed: [
      ['nothing', ''],
      ['HTML', '<html>0100018f</html>'],
      ['half of its JSON', made().slice(0, 20)],
      ['null', 'null'],
      ['a number', '42'],
      ['a text', '"0100018f"'],
      ['a list', '[]'],
      ['an object without an id', '{}'],
      ['an empty id', made('')],
      ['an id that is no text', made(17)],
      ['an error with a status of success', '{"message":"canary-body","__type":"MessageRejected"}'],
    ],
  }),
};
