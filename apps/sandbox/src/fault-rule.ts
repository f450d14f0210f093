import { z } from 'zod';
import { SANDBOX_CHANNELS, SANDBOX_PROVIDERS, type SandboxProvider } from './message.js';

/** The longest that the sandbox keeps anyone waiting, in milliseconds: longer than any client's deadline. */
export const LONGEST_HOLD_MS = 600_000;

const side = z.enum(['before', 'after']);
const replyText = z
  .string()
  .max(400)
  .regex(/^[^\p{Cc}]*$/u, 'must not contain control characters');

const action = z.discriminatedUnion('kind', [
  /** HTTP: an answer with this status; nothing is recorded. The body is the provider's own error unless given. */
  z.strictObject({
    kind: z.literal('status'),
    status: z.int().min(200).max(599),
    /** Seconds, or an HTTP date. */
    retryAfter: z.union([z.int().nonnegative(), z.string().regex(/^[\x20-\x7e]{1,64}$/)]).optional(),
    body: z.union([z.string().max(65_536), z.record(z.string(), z.unknown())]).optional(),
    twilioCode: z.int().min(10_000).max(99_999).optional(),
    /** The name of an error of SES, such as `MessageRejected`. */
    sesError: z
      .string()
      .regex(/^[A-Za-z]{1,80}$/, 'must be a name of letters')
      .optional(),
    /** An `ErrorCode` of FCM, such as `UNREGISTERED`. */
    fcmError: z
      .string()
      .regex(/^[A-Z_]{1,80}$/, 'must be a name such as UNREGISTERED')
      .optional(),
  }),
  /** SMTP: this reply at this step; nothing is recorded. */
  z.strictObject({
    kind: z.literal('smtp'),
    code: z.int().min(400).max(599),
    at: z.enum(['connect', 'mail', 'rcpt', 'data']).default('data'),
    enhanced: z
      .string()
      .regex(/^[45]\.\d{1,3}\.\d{1,3}$/, 'must look like 4.7.1')
      .optional(),
    text: replyText.optional(),
  }),
  /** Never answers: before recording, after it, or (SMTP) without a greeting. */
  z.strictObject({ kind: z.literal('hang'), at: z.enum(['connect', 'before', 'after']).default('before') }),
  /** Records, then answers one byte per interval. */
  z.strictObject({ kind: z.literal('drip'), interval_ms: z.int().min(1).max(60_000).default(1_000) }),
  /** Records, then cuts the line before the answer. */
  z.strictObject({ kind: z.literal('accept-and-drop') }),
  /** Cuts the line, records nothing. */
  z.strictObject({ kind: z.literal('drop'), at: z.enum(['connect', 'before']).default('before') }),
  /** An answer that is not of the protocol: HTML with status 200, or noise instead of an SMTP reply. */
  z.strictObject({ kind: z.literal('malformed'), at: side.default('before') }),
  /** Records at once, answers late. */
  z.strictObject({ kind: z.literal('delay'), ms: z.int().min(0).max(LONGEST_HOLD_MS) }),
]);

/** How to misbehave. */
export type FaultAction = z.output<typeof action>;

/** The instant of a conversation at which a fault is played. */
export type Moment = 'connect' | 'mail' | 'rcpt' | 'message' | 'lookup';

const rule = z
  .strictObject({
    channel: z.enum(SANDBOX_CHANNELS),
    /** Only over this protocol; without it, over every one of the channel. */
    provider: z.enum(Object.keys(SANDBOX_PROVIDERS) as [SandboxProvider, ...SandboxProvider[]]).optional(),
    /** An address, or `*@domain`. Without it, everybody. */
    recipient: z
      .string()
      .min(1)
      .max(320)
      .regex(/^(\*@)?[^*\p{Cc}]+$/u, 'must be an address or *@domain')
      .optional(),
    action,
    /** `lookup`: the provider's questions fail instead of its sends. */
    on: z.enum(['send', 'lookup']).default('send'),
    /** After so many times the rule is used up. Without it, never. */
    times: z.int().min(1).optional(),
    /** The chance that a fitting try is hit; the same seed hits the same tries. */
    probability: z.number().min(0).max(1).optional(),
    seed: z.union([z.string().max(128), z.number()]).optional(),
    /** As `GET /faults` shows them; ignored, so that its answer can be put back. */
    id: z.unknown().optional(),
    fired: z.unknown().optional(),
  })
  .transform(({ id: _id, fired: _fired, ...wanted }) => wanted);

/** One line in the faults book: who is hit, how, and how often. */
export type FaultRule = z.output<typeof rule>;

/** A rule as a caller writes it, defaults left out. */
export type FaultRuleInput = z.input<typeof rule>;

/** Checks what a caller sent as a rule. The message of each issue says what would be right. */
export const faultRuleSchema = rule.superRefine((wanted, context) => {
  for (const message of contradictions(wanted)) context.addIssue({ code: 'custom', message });
});

/** When in the conversation this rule is played. */
export function momentOf({ action: wanted, on }: FaultRule): Moment {
  if (wanted.kind === 'smtp') return wanted.at === 'data' ? 'message' : wanted.at;
  if ((wanted.kind === 'hang' || wanted.kind === 'drop') && wanted.at === 'connect') return 'connect';
  return on === 'lookup' ? 'lookup' : 'message';
}

function* contradictions(wanted: FaultRule): Generator<string> {
  const { channel, provider } = wanted;
  const { kind } = wanted.action;
  const moment = momentOf(wanted);
  if (provider !== undefined && SANDBOX_PROVIDERS[provider] !== channel)
    yield `${provider} does not carry ${channel}`;
  if (kind === 'status' && channel === 'email' && provider !== 'ses')
    yield 'email speaks SMTP: use {kind: "smtp", code, at}, or add provider: "ses"';
  if (kind === 'smtp' && channel !== 'email') yield `${channel} speaks HTTP: use {kind: "status", status}`;
  if (kind === 'smtp' && provider === 'ses') yield 'ses speaks HTTP: use {kind: "status", status}';
  if (moment === 'connect' && channel !== 'email') yield 'only email can be met at: "connect"';
  if (moment === 'connect' && provider === 'ses') yield 'only SMTP can be met at: "connect"';
  if (wanted.on === 'lookup' && channel === 'email') yield 'SMTP and SES have no lookup';
  if (wanted.on === 'lookup' && channel === 'webhook') yield 'a webhook has no lookup';
  if (wanted.on === 'lookup' && channel === 'push' && provider !== 'fcm')
    yield 'of push only fcm has lookups, for access tokens: add provider: "fcm"';
  if ((moment === 'connect' || moment === 'mail') && wanted.recipient !== undefined)
    yield `at: "${moment}" the recipient is not known yet: leave recipient out, or use at: "rcpt"`;
  if (wanted.seed !== undefined && wanted.probability === undefined) yield 'seed needs a probability';
}
