import http from 'node:http';
import https from 'node:https';
import type { Message } from '@belfry/shared/domain/message.js';
import type { Outcome } from '@belfry/shared/domain/outcome.js';
import { z } from 'zod';
import { byFcmError, byMissingAnswer, type Failure } from '../classify.js';
import { ask, type Call, readBody } from '../http-call.js';
import type { Load, Probe, Provider, ProviderDefinition } from '../provider.js';
import { whyAborted } from '../signals.js';
import { type AccessTokens, createAccessTokens, createSigner } from './access-token.js';
import { fcmMessage } from './fcm-message.js';
import { fcmSettings } from './fcm-settings.js';
import { TOO_LONG, takenCode } from './payload.js';

type Settings = z.output<typeof fcmSettings>;

/** Notes to apps on Android and iOS through the HTTP v1 API of Firebase Cloud Messaging, or anything that has its shape. */
export const fcm: ProviderDefinition<'push', typeof fcmSettings> = {
  name: 'fcm',
  channel: 'push',
  abilities: {
    // A copy has the same tag and the same collapse id, so it takes the place of the one that is shown already.
    afterAmbiguous: 'resend-same-id',
    timeoutMs: 15_000,
    platforms: ['ios', 'android'],
  },
  settings: fcmSettings,
  configured: (env) => Boolean(env.FCM_CREDENTIALS),
  probe,
  create: async (settings, _ports, load = FEW) => {
    const { FCM_CREDENTIALS: account } = settings;
    return new Fcm(settings, createAccessTokens(account, await createSigner(account)), load);
  },
};

const FEW: Load = { concurrency: 8 };
const ANSWER_BYTES = 20_000;
const FCM_ERROR = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';

const taken = z.object({ name: z.string().regex(/^projects\/[^/\s]{1,128}\/messages\/\S{1,256}$/) });
const refused = z.object({
  error: z.object({ details: z.array(z.object({ '@type': z.string(), errorCode: z.string().optional() })) }),
});

class Fcm implements Provider<'push'> {
  readonly name = 'fcm';
  readonly channel = 'push';
  readonly #url: URL;
  readonly #tokens: AccessTokens;
  readonly #agent: http.Agent;

  constructor(settings: Settings, tokens: AccessTokens, load: Load) {
    const { FCM_BASE_URL: base, FCM_CREDENTIALS: account } = settings;
    this.#url = new URL(`${base.replace(/\/+$/, '')}/v1/projects/${account.project_id}/messages:send`);
    this.#tokens = tokens;
    const options = { keepAlive: true, maxSockets: Math.max(2, load.concurrency), timeout: 30_000 };
    this.#agent = this.#url.protocol === 'http:' ? new http.Agent(options) : new https.Agent(options);
  }

  async send(message: Message<'push'>, signal: AbortSignal): Promise<Outcome> {
    const body = fcmMessage(message, new Date());
    if (body === undefined) return TOO_LONG;
    const access = await this.#tokens.get(signal);
    if (!access.ok) return access.failure;
    const call: Call = { signal, handedOver: false };
    const outcome = await this.#post(JSON.stringify(body.value), access.token, call, body.shortened);
    if (call.status !== 401 || outcome.kind !== 'misconfigured') return outcome;
    this.#tokens.forget(access.token);
    // One that was good for earlier messages may have been withdrawn; the next one decides whether it is the account.
    if (access.fresh) return outcome;
    return { kind: 'retry', code: outcome.code, error: 'The access token is not accepted any more.' };
  }

  async close(): Promise<void> {
    this.#tokens.close();
    this.#agent.destroy();
  }

  async #post(body: string, token: string, call: Call, shortened: boolean): Promise<Outcome> {
    const { protocol, hostname, port, pathname } = this.#url;
    try {
      const answer = await ask(
        {
          protocol,
          hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
          port,
          path: pathname,
          method: 'POST',
          agent: this.#agent,
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
          },
          ...(protocol === 'http:' ? {} : { rejectUnauthorized: true }),
        },
        body,
        call,
      );
      const text = Buffer.from(await readBody(answer, ANSWER_BYTES)).toString();
      return judged(answer.statusCode ?? 0, text, call, shortened);
    } catch (error) {
      const { code }: { readonly code?: unknown } = Object(error);
      // A refusal whose body never came is a refusal all the same.
      if (call.status !== undefined && call.status >= 300)
        return byFcmError(undefined, call.status, call.retryAfter);
      return byMissingAnswer(call.signal.aborted ? whyAborted(call.signal) : code, call.handedOver);
    }
  }
}

function judged(status: number, text: string, call: Call, shortened: boolean): Outcome {
  const body = parsed(text);
  if (status !== 200) return byFcmError(errorCodeIn(body), status, call.retryAfter);
  const { data } = taken.safeParse(body);
  if (data === undefined) return byMissingAnswer('malformed', true);
  return { kind: 'sent', code: takenCode(status, shortened), providerId: data.name };
}

function errorCodeIn(body: unknown): string | undefined {
  const details = refused.safeParse(body).data?.error.details ?? [];
  return details.find((one) => one['@type'] === FCM_ERROR)?.errorCode;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Signs in as the service account, which is all that can be done without a message. */
async function probe(settings: Settings): Promise<Probe> {
  const { FCM_CREDENTIALS: account } = settings;
  const tokens = createAccessTokens(account, await createSigner(account));
  const access = await tokens.get(AbortSignal.timeout(9_000));
  tokens.close();
  if (access.ok) {
    const { host } = new URL(account.token_uri);
    return {
      kind: 'answers',
      finding: `${host} takes the service account of project ${account.project_id}.`,
    };
  }
  return refusedProbe(access.failure);
}

function refusedProbe({ kind, code, error }: Failure): Probe {
  if (kind === 'misconfigured') {
    const remedy =
      'Make a new key for the service account and give it in FCM_CREDENTIALS; check the clock too.';
    return { kind: 'refuses', finding: `The token endpoint refuses FCM_CREDENTIALS (${code}).`, remedy };
  }
  const remedy = 'Check that this machine reaches the token_uri of FCM_CREDENTIALS; messages wait for it.';
  return { kind: 'unreachable', finding: `No access token for FCM (${code}): ${error}`, remedy };
}
