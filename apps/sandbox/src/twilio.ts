import { randomUUID } from 'node:crypto';
import { type Request, type Response, Router, urlencoded } from 'express';
import { accept, type Books } from './books.js';
import type { FaultAction } from './fault-rule.js';
import { answer, type HttpAnswer } from './http-fault.js';
import type { ArrivedMessage } from './message.js';
import { segments, TWILIO_ROOT, twilioError, twilioMessage } from './twilio-json.js';
import { listPage } from './twilio-list.js';

const E164 = /^\+[1-9]\d{6,14}$/;
const LONGEST_BODY = 1_600;

type Form = Readonly<Record<string, string | undefined>>;

/** The part of Twilio's REST API (2010-04-01) that sends and looks up messages. Any basic credentials will do. */
export function twilioRoutes(books: Books): Router {
  const routes = Router({ caseSensitive: true });
  const { recorder, calls } = books;

  routes.use((req, res, next) => {
    if (/^basic \S+/i.test(req.headers.authorization ?? '')) return next();
    calls.answered('sms', 401);
    res.set('www-authenticate', 'Basic realm="Twilio API"');
    reply(res, twilioError(401, 'Authenticate'));
  });

  routes.post('/:account/Messages.json', urlencoded({ extended: false, limit: '256kb' }), (req, res) => {
    calls.tried('sms');
    const form = formOf(req);
    const { account } = req.params;
    const problem = refusal(form);
    answer(books, res, {
      provider: 'twilio',
      moment: 'message',
      recipients: form.To === undefined ? [] : [form.To],
      serve: () => {
        if (problem !== undefined) return problem;
        const message = accept(books, arrivedFrom(form, account));
        return { status: 201, body: JSON.stringify(twilioMessage(message, 'created')) };
      },
      fail: failed,
    });
  });

  routes.get('/:account/Messages.json', (req, res) => {
    calls.lookedUp('sms');
    const query = new URL(req.originalUrl, 'http://sandbox.invalid').searchParams;
    const to = query.get('To') ?? undefined;
    answer(books, res, {
      provider: 'twilio',
      moment: 'lookup',
      recipients: to === undefined ? [] : [to],
      serve: () => listPage(recorder.find({ channel: 'sms', to }), req.params.account, query),
      fail: failed,
    });
  });

  routes.get('/:account/Messages/:sid.json', (req, res) => {
    calls.lookedUp('sms');
    const { account, sid } = req.params;
    const message = recorder
      .find({ channel: 'sms' })
      .find(({ details }) => details?.sid === sid && details.account_sid === account);
    answer(books, res, {
      provider: 'twilio',
      moment: 'lookup',
      recipients: message?.recipients ?? [],
      serve: () =>
        message === undefined
          ? notFound(req)
          : { status: 200, body: JSON.stringify(twilioMessage(message, 'later')) },
      fail: failed,
    });
  });

  routes.use((req, res) => reply(res, notFound(req)));
  return routes;
}

function formOf(req: Request): Form {
  const body: unknown = req.body;
  if (typeof body !== 'object' || body === null) return {};
  // A field that comes twice is an array; like Twilio, take the last.
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, [value].flat().at(-1)]));
}

function refusal({ To, From, MessagingServiceSid, Body }: Form): HttpAnswer | undefined {
  if (!To) return twilioError(400, "A 'To' phone number is required.", 21604);
  if (!E164.test(To)) return twilioError(400, `Invalid 'To' Phone Number: ${To}`, 21211);
  if (!From && !MessagingServiceSid) return twilioError(400, "A 'From' phone number is required.", 21603);
  if (!Body) return twilioError(400, 'Message body is required.', 21602);
  if (Body.length > LONGEST_BODY)
    return twilioError(
      400,
      `The concatenated message body exceeds the ${LONGEST_BODY} character limit`,
      21617,
    );
  return undefined;
}

function arrivedFrom(form: Form, account: string): ArrivedMessage {
  const { To = '', From = '', Body = '', MessagingServiceSid, StatusCallback } = form;
  return {
    channel: 'sms',
    recipients: [To],
    from: From,
    delivery_id: deliveryIn(StatusCallback),
    text: Body,
    details: {
      sid: `SM${randomUUID().replaceAll('-', '')}`,
      account_sid: account,
      num_segments: String(segments(Body)),
      ...(MessagingServiceSid === undefined ? {} : { messaging_service_sid: MessagingServiceSid }),
      ...(StatusCallback === undefined ? {} : { status_callback: StatusCallback }),
    },
    raw_size: Buffer.byteLength(Body),
  };
}

/** Twilio has no field for a caller's own reference, so it travels as `delivery` in the callback's address. */
function deliveryIn(callback: string | undefined): string | null {
  return callback !== undefined && URL.canParse(callback)
    ? new URL(callback).searchParams.get('delivery')
    : null;
}

function failed(action: Extract<FaultAction, { kind: 'status' }>): HttpAnswer {
  const { status, body, twilioCode } = action;
  if (body === undefined) return twilioError(status, 'The sandbox was told to fail.', twilioCode);
  if (typeof body !== 'string') return { status, body: JSON.stringify(body) };
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}

function notFound(req: Request): HttpAnswer {
  return twilioError(404, `The requested resource ${TWILIO_ROOT}${req.path} was not found`);
}

function reply(res: Response, { status, body }: HttpAnswer): void {
  res.status(status).type('json').send(body);
}
