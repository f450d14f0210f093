import type { Message } from '@belfry/shared/domain/message.js';
import type { Outcome } from '@belfry/shared/domain/outcome.js';
import type { Twilio as TwilioClient } from 'twilio';
import { byMissingAnswer, byTwilioCode, type Failure } from '../classify.js';
import type { Found, Provider, ProviderDefinition } from '../provider.js';
import { whyAborted } from '../signals.js';
import { twilioSettings } from './twilio-settings.js';
import { during, rewire, type TwilioCall } from './twilio-wire.js';

/** Text messages through Twilio's REST API, or anything that has its shape. */
export const twilio: ProviderDefinition<'sms', typeof twilioSettings> = {
  name: 'twilio',
  channel: 'sms',
  abilities: { afterAmbiguous: 'ask-first', timeoutMs: 15_000 },
  settings: twilioSettings,
  configured: (env) => Boolean(env.TWILIO_ACCOUNT_SID || env.TWILIO_AUTH_TOKEN || env.TWILIO_FROM),
  create: async (settings) => {
    const { default: sdk } = await import('twilio');
    const httpClient = new sdk.RequestClient({ autoRetry: false, timeout: 30_000 });
    const disconnect = rewire(httpClient, settings.TWILIO_BASE_URL);
    const client = sdk(settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, {
      httpClient,
      logLevel: 'off',
    });
    return new Twilio(client, settings.TWILIO_FROM, disconnect);
  },
};

/** How far apart Twilio's clock and ours may be, in milliseconds. */
const CLOCK_MARGIN_MS = 60_000;
/** Messages that are looked through for an earlier copy, newest first. Twilio sends about 1 KB for each. */
const LOOK_BACK = 50;
const ANSWER_BYTES = 20_000;
const LIST_BYTES = 512_000;
/** Twilio puts this before every text of a trial account. */
const TRIAL_PREFIX = 'Sent from your Twilio trial account - ';

class Twilio implements Provider<'sms'> {
  readonly name = 'twilio';
  readonly channel = 'sms';
  readonly #client: TwilioClient;
  readonly #sender: { readonly from: string } | { readonly messagingServiceSid: string };
  readonly #disconnect: () => void;

  constructor(client: TwilioClient, from: string, disconnect: () => void) {
    this.#client = client;
    this.#sender = /^MG[0-9a-f]{32}$/i.test(from) ? { messagingServiceSid: from } : { from };
    this.#disconnect = disconnect;
  }

  async send(message: Message<'sms'>, signal: AbortSignal): Promise<Outcome> {
    const call: TwilioCall = { signal, maxAnswerBytes: ANSWER_BYTES, handedOver: false };
    try {
      const answer = await during(call, () =>
        this.#client.messages.create({ to: message.to, body: message.content.text, ...this.#sender }),
      );
      if (!/^(SM|MM)\w+$/.test(answer.sid ?? '')) return byMissingAnswer('malformed', true);
      // A message can be made and have failed in the same breath.
      if (answer.status === 'failed') return byTwilioCode(answer.errorCode, 400);
      return { kind: 'sent', code: `http-${call.status ?? 200}`, providerId: answer.sid };
    } catch (error) {
      return failed(error, call);
    }
  }

  /**
   * Looks for the text among the newest messages to this number. The list is not narrowed by date: Twilio filters by the
   * date a message *was sent*, which one that still waits in its queue does not have.
   */
  async find(message: Message<'sms'>, signal: AbortSignal): Promise<Found> {
    const call: TwilioCall = { signal, maxAnswerBytes: LIST_BYTES, handedOver: false };
    try {
      const page = await during(call, () =>
        this.#client.messages.page({ to: message.to, pageSize: LOOK_BACK }),
      );
      return search(page.instances, message);
    } catch (error) {
      const { code, error: sentence } = failed(error, call);
      return { kind: 'unknown', code, error: sentence };
    }
  }

  async close(): Promise<void> {
    this.#disconnect();
  }
}

/** What is read of a message in Twilio's list; any of it may be missing when the answer comes from something else. */
interface Listed {
  readonly sid?: unknown;
  readonly body?: unknown;
  readonly to?: unknown;
  readonly dateCreated?: Date;
}

function search(listed: readonly Listed[], message: Message<'sms'>): Found {
  const since = message.firstAttemptAt.getTime() - CLOCK_MARGIN_MS;
  const text = message.content.text;
  let oldest = Number.POSITIVE_INFINITY;
  for (const one of listed) {
    const created = one.dateCreated instanceof Date ? one.dateCreated.getTime() : Number.NaN;
    if (typeof one.sid !== 'string' || Number.isNaN(created)) return notUnderstood();
    oldest = Math.min(oldest, created);
    const same = one.to === message.to && (one.body === text || one.body === TRIAL_PREFIX + text);
    if (same && created >= since) return { kind: 'sent', code: 'found', providerId: one.sid };
  }
  // A full page that does not reach back to the first attempt proves nothing.
  const whole = listed.length < LOOK_BACK || oldest < since;
  if (whole) return { kind: 'absent' };
  return { kind: 'unknown', code: 'list-too-long', error: 'Too many messages went to this number since.' };
}

function notUnderstood(): Found {
  const { code, error } = byMissingAnswer('malformed', true);
  return { kind: 'unknown', code, error };
}

/** Puts together what the SDK threw and what was seen on the wire; the wire is the better witness. */
function failed(thrown: unknown, call: TwilioCall): Failure {
  const error: { readonly code?: unknown } = Object(thrown);
  if (call.status === undefined) {
    return byMissingAnswer(call.signal.aborted ? whyAborted(call.signal) : error.code, call.handedOver);
  }
  return byTwilioCode(error.code, call.status, call.retryAfter);
}
