import { createHash, randomBytes } from 'node:crypto';

/** What a source speaks: the webhook of Alertmanager, that of Grafana, or plain JSON. */
export const SOURCE_KINDS = ['alertmanager', 'grafana', 'json'] as const;
export type SourceKind = (typeof SOURCE_KINDS)[number];

/** Whoever finds one in a repository or a log, a person or a scanner, sees what it is. */
const PREFIX = 'belfry_source_';

/** The token of a source: 32 random bytes, so that nobody guesses one and a plain hash keeps it. */
export function newSourceToken(): string {
  return PREFIX + randomBytes(32).toString('base64url');
}

/** True for what may be such a token; nothing else is worth a look into the ledger. */
export function isSourceToken(text: string): boolean {
  return /^belfry_source_[\w-]{43}$/.test(text);
}

/** What the ledger keeps of a token. It is looked up by it, so how long that takes says nothing of any token. */
export function hashOfSourceToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
