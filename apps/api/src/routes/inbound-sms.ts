import type { ApiSettings } from '@belfry/shared/config/settings.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import express, { Router } from 'express';
import { type AnswerParts, answerText } from '../acknowledge/text-answer.js';
import { type Form, isSignedByTwilio } from '../acknowledge/twilio-signature.js';
import { escaped } from '../middleware/escape-html.js';
import { keyOf } from '../middleware/limiter-key.js';

const INBOUND_SMS = '/inbound/twilio/sms';

export interface InboundSmsParts extends AnswerParts {
  readonly settings: ApiSettings;
  readonly engine: QueueEngine;
}

/** Answers to one number. What it asks for is done all the same. */
const ANSWERED = { points: 20, seconds: 60 };
/** How often one number is told how to answer. */
const HELPED = { points: 1, seconds: 3_600 };

/**
 * Where Twilio hands over text messages that were sent to us. It brings no token but a signature, over the address that it was
 * told to call and over every field. What it gets is TwiML: a text message back, or nothing.
 */
export function inboundSmsRoutes({ settings, engine, database, events }: InboundSmsParts): Router {
  const router = Router({ caseSensitive: true });
  const { PUBLIC_URL, TWILIO_AUTH_TOKEN, SMS_ANSWERS } = settings;
  const answered = engine.limiter('sms-answers', ANSWERED, { alone: ANSWERED });
  const helped = engine.limiter('sms-help', HELPED, { alone: HELPED });

  const body = express.urlencoded({ extended: false, limit: '64kb', parameterLimit: 200 });
  router.post(INBOUND_SMS, body, async (req, res) => {
    if (SMS_ANSWERS === 'off' || PUBLIC_URL === undefined || TWILIO_AUTH_TOKEN === undefined)
      throw noSmsAnswers();
    const form: Form = req.body ?? {};
    const url = PUBLIC_URL + req.originalUrl;
    if (!isSignedByTwilio(TWILIO_AUTH_TOKEN, req.get('X-Twilio-Signature') ?? '', url, form)) {
      events.signatureRefused({ from: 'twilio' });
      throw wrongSignature();
    }
    const from = fieldOf(form.From);
    const message = { id: fieldOf(form.MessageSid), from, text: fieldOf(form.Body) };
    const { said, help } = await answerText({ database, events }, message);
    const key = keyOf(from);
    const silent =
      said === null || (await answered.take(key)) !== null || (help && (await helped.take(key)) !== null);
    res.type('text/xml').send(twiml(silent ? null : said));
  });

  return router;
}

function twiml(text: string | null): string {
  const message = text === null ? '' : `<Message>${escaped(text)}</Message>`;
  return `<?xml version="1.0" encoding="UTF-8"?><Response>${message}</Response>`;
}

function fieldOf(value: Form[string] = ''): string {
  return (typeof value === 'string' ? value : (value.at(-1) ?? '')).replaceAll('\u0000', '');
}

export function noSmsAnswers(): Refusal {
  return new Refusal('not_found', 'Answers by text message are off: SMS_ANSWERS is not on.', {
    reason: 'no_sms_answers',
  });
}

export function wrongSignature(): Refusal {
  return new Refusal('forbidden', 'Forbidden', { reason: 'wrong_signature' });
}
