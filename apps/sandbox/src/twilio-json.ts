import type { HttpAnswer } from './http-fault.js';
import type { RecordedMessage } from './message.js';

/** Where Twilio's REST API begins. */
export const TWILIO_ROOT = '/2010-04-01/Accounts';

const USUAL_CODES = new Map([
  [400, 20001],
  [401, 20003],
  [403, 20403],
  [404, 20404],
  [429, 20429],
  [500, 20500],
  [503, 20503],
]);

/** Twilio's error document: `{code, message, more_info, status}`. The code defaults to the usual one of the status. */
export function twilioError(status: number, message: string, code = usualCode(status)): HttpAnswer {
  const more_info = `https://www.twilio.com/docs/errors/${code}`;
  return { status, body: JSON.stringify({ code, message, more_info, status }) };
}

/** Twilio's Message resource. Right after its creation a message is queued; whoever asks later finds it delivered. */
export function twilioMessage(message: RecordedMessage, when: 'created' | 'later'): Record<string, unknown> {
  const { sid = '', account_sid = '', messaging_service_sid = null, ...details } = message.details ?? {};
  const uri = `${TWILIO_ROOT}/${account_sid}/Messages/${sid}`;
  const date = twilioDate(message.received_at);
  const fresh = messaging_service_sid === null ? 'queued' : 'accepted';
  return {
    account_sid,
    api_version: '2010-04-01',
    body: message.text,
    date_created: date,
    date_sent: when === 'created' ? null : date,
    date_updated: date,
    direction: 'outbound-api',
    error_code: null,
    error_message: null,
    from: message.from === '' ? null : message.from,
    messaging_service_sid,
    num_media: '0',
    num_segments: details.num_segments ?? '1',
    price: null,
    price_unit: 'USD',
    sid,
    status: when === 'created' ? fresh : 'delivered',
    subresource_uris: { media: `${uri}/Media.json` },
    to: message.to,
    uri: `${uri}.json`,
  };
}

/** How many parts a text takes: GSM 03.38 septets if every character is in its alphabet, else UCS-2. */
export function segments(text: string): number {
  const septets = [...text].reduce((sum, letter) => sum + (septetsOf(letter) ?? Number.NaN), 0);
  if (Number.isNaN(septets)) return text.length <= 70 ? 1 : Math.ceil(text.length / 67);
  return septets <= 160 ? 1 : Math.ceil(septets / 153);
}

const ONE_SEPTET = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
const TWO_SEPTETS = new Set('\f^{}\\[~]|€');

function septetsOf(letter: string): number | undefined {
  if (ONE_SEPTET.has(letter)) return 1;
  return TWO_SEPTETS.has(letter) ? 2 : undefined;
}

function usualCode(status: number): number {
  return USUAL_CODES.get(status) ?? (status >= 500 ? 20500 : 20001);
}

/** RFC 2822, always in UTC, as Twilio writes it. */
function twilioDate(iso: string): string {
  return new Date(iso).toUTCString().replace('GMT', '+0000');
}
