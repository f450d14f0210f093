import http, { type OutgoingHttpHeaders } from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Outcome } from '@belfry/shared/domain/outcome.js';
import { byMissingAnswer } from './classify.js';
import { ask, type Call, discardBody, NO_CONNECTION_FREE } from './http-call.js';
import { whyAborted } from './signals.js';
import { FORBIDDEN, guardedLookup, mayGoTo, type Rule } from './webhook/address-filter.js';
import type { AddressRange } from './webhook/address-range.js';

/** How long a message waits for one of its server's connections to be free, and then how long it is put aside, in milliseconds. */
const PATIENCE_MS = 1_000;
const ASIDE_MS = 5_000;
/** An answer's body is of no interest. So much of it is read that its connection can be used again. */
const BODY_BYTES = 20_000;
const BODY_MS = 2_000;

export interface GuardedPostOptions {
  readonly lookup: LookupFunction;
  /** Connections to one server at most: one that hangs must leave most of this process to the others. */
  readonly connections: number;
  /** What the operator has opened beside the public internet. */
  readonly listed: readonly AddressRange[];
  /** Whether a server without encryption may be used only if it is among those. */
  readonly plainListedOnly?: boolean;
  /** Certificate authorities in the place of Node's own, as PEM. */
  readonly authorities?: readonly string[] | undefined;
}

/** One request to a server that a recipient has chosen. */
export interface Post {
  readonly url: URL;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string | Uint8Array;
  readonly signal: AbortSignal;
}

/** What came of a request: the head of an answer, or how it ended without one. */
export type Posted =
  | { readonly kind: 'answered'; readonly status: number; readonly retryAfter: string | undefined }
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'failed'; readonly outcome: Outcome };

/** Posts to servers that others chose: none inside, no redirect, no waiting for a body, and a bound on connections for each. */
export interface GuardedPost {
  send(post: Post): Promise<Posted>;
  close(): void;
}

export function createGuardedPost(options: GuardedPostOptions): GuardedPost {
  const { lookup, connections, listed, plainListedOnly = false, authorities } = options;
  const shared = {
    keepAlive: true,
    maxSockets: connections,
    maxFreeSockets: 2,
    // Of a connection that nobody uses; most servers keep one for five seconds.
    timeout: 4_000,
    // The quarter of a second that Node gives each address of a name is too short across an ocean.
    autoSelectFamilyAttemptTimeout: 2_000,
  };
  const agents = { http: new http.Agent(shared), https: new https.Agent(shared) };

  return {
    async send({ url, headers, body, signal }) {
      const plain = url.protocol === 'http:';
      const port = url.port === '' ? (plain ? 80 : 443) : Number(url.port);
      const rule: Rule = { port, listedOnly: plain && plainListedOnly, listed };
      const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
      // No name is looked up for a literal address, so it is judged here.
      if (isIP(host) !== 0 && !mayGoTo(host, rule)) return { kind: 'forbidden' };
      const call: Call = { signal, handedOver: false };
      try {
        const answer = await ask(
          {
            protocol: url.protocol,
            hostname: host,
            port,
            path: url.pathname + url.search,
            method: 'POST',
            headers,
            agent: plain ? agents.http : agents.https,
            lookup: guardedLookup(lookup, rule),
            patienceMs: PATIENCE_MS,
            ...(plain ? {} : { rejectUnauthorized: true }),
            ...(authorities === undefined ? {} : { ca: [...authorities] }),
          },
          body,
          call,
        );
        discardBody(answer, BODY_BYTES, BODY_MS);
        return { kind: 'answered', status: answer.statusCode ?? 0, retryAfter: call.retryAfter };
      } catch (error) {
        return failed(error, call);
      }
    },
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

/**
 * An address as a URL without credentials. The parser of the URL standard also turns every other spelling of an IPv4
 * address (decimal, octal, hexadecimal, short, other digits) into the usual one.
 */
export function serverOf(address: string): URL | undefined {
  const url = URL.parse(address);
  if (url === null || url.hostname === '' || url.username !== '' || url.password !== '') return undefined;
  return url.protocol === 'https:' || url.protocol === 'http:' ? url : undefined;
}

function failed(thrown: unknown, call: Call): Posted {
  const { code }: { readonly code?: unknown } = Object(thrown);
  if (call.signal.aborted)
    return { kind: 'failed', outcome: byMissingAnswer(whyAborted(call.signal), call.handedOver) };
  if (code === FORBIDDEN) return { kind: 'forbidden' };
  if (code !== NO_CONNECTION_FREE) return { kind: 'failed', outcome: byMissingAnswer(code, call.handedOver) };
  const error = 'The receiver has as many of these in hand as it is given at once.';
  // Spread over as long again, or all that wait would come back in one moment.
  const afterMs = Math.round(ASIDE_MS * (1 + Math.random()));
  return { kind: 'failed', outcome: { kind: 'throttled', code: 'receiver-busy', error, afterMs } };
}
