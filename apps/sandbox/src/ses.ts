import { randomBytes, randomUUID } from 'node:crypto';
import { json, type Response, Router } from 'express';
import { z } from 'zod';
import { accept, type Books } from './books.js';
import type { FaultAction } from './fault-rule.js';
import { answer, type HttpAnswer } from './http-fault.js';
import { readMail } from './mail.js';
import type { ArrivedMessage } from './message.js';

/** Where the API of Amazon SES (v2) takes mail. */
export const SES_ROOT = '/v2/email/outbound-emails';

const LARGEST_REQUEST = '45mb';

/** The part of SendEmail that is understood: a whole mail as base64. */
const sendEmail = z.object({
  Content: z.object({ Raw: z.object({ Data: z.base64().min(1) }) }),
  FromEmailAddress: z.string().optional(),
  Destination: z.object({ ToAddresses: z.array(z.string().min(3)).min(1).max(50) }),
});

/** SendEmail of the API of Amazon SES, version 2. Any signature will do, as long as there is one. */
export function sesRoutes(books: Books): Router {
  const routes = Router();
  const { calls } = books;

  routes.use((req, res, next) => {
    const { authorization = '' } = req.headers;
    if (/^AWS4-HMAC-SHA256 Credential=[^,\s]+\/ses\/aws4_request\b.*Signature=/.test(authorization))
      return next();
    calls.answered('email', 403);
    reply(res, sesError(403, 'MissingAuthenticationTokenException', 'Missing Authentication Token'));
  });

  routes.post('/', json({ limit: LARGEST_REQUEST, type: () => true }), async (req, res) => {
    calls.tried('email');
    const parsed = sendEmail.safeParse(req.body);
    const recipients = parsed.data?.Destination.ToAddresses ?? [];
    const mail = parsed.success ? await mailOf(parsed.data) : 'unreadable';
    answer(books, res, {
      provider: 'ses',
      moment: 'message',
      recipients,
      serve: () => {
        if (mail === 'unreadable') return sesError(400, 'BadRequestException', 'The mail cannot be read.');
        accept(books, mail);
        return { status: 200, body: JSON.stringify({ MessageId: mail.details?.ses_message_id }) };
      },
      fail: failed,
    });
  });
  return routes;
}

async function mailOf(request: z.output<typeof sendEmail>): Promise<ArrivedMessage | 'unreadable'> {
  const raw = Buffer.from(request.Content.Raw.Data, 'base64');
  const from = request.FromEmailAddress ?? '';
  const envelope = {
    from: /<([^<>]+)>\s*$/.exec(from)?.[1] ?? from,
    recipients: request.Destination.ToAddresses,
  };
  const mail = await readMail(raw, envelope);
  if (mail === 'unreadable') return mail;
  const id = `0100${randomBytes(6).toString('hex')}-${randomUUID()}-000000`;
  // The real one puts a Message-ID of its own into every mail, in the place of the sender's.
  const message_id = `<${id}@email.amazonses.com>`;
  return {
    ...mail,
    message_id,
    headers: { ...mail.headers, 'message-id': message_id },
    details: { provider: 'ses', ses_message_id: id },
  };
}

function failed(action: Extract<FaultAction, { kind: 'status' }>): HttpAnswer {
  const { status, body, sesError: name = usualName(status) } = action;
  if (body === undefined) return sesError(status, name, 'The sandbox was told to fail.');
  if (typeof body !== 'string') return { status, body: JSON.stringify(body) };
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}

/** An error as SES sends it: its name in a header, a sentence in the body. */
function sesError(status: number, name: string, message: string): HttpAnswer {
  return { status, headers: { 'x-amzn-errortype': name }, body: JSON.stringify({ message }) };
}

function usualName(status: number): string {
  if (status === 429) return 'TooManyRequestsException';
  if (status === 403) return 'AccessDeniedException';
  if (status === 404) return 'NotFoundException';
  return status >= 500 ? 'InternalServiceErrorException' : 'BadRequestException';
}

function reply(res: Response, { status, headers, body }: HttpAnswer): void {
  res
    .status(status)
    .set({ ...headers })
    .type('json')
    .send(body);
}
