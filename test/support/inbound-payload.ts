import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { InboundContent, InboundEntry, InboundPayload } from '@belfry/api/inbound/inbound-alert.js';
import { ROOT } from './process.js';

/** What Alertmanager and Grafana send, field by field as their documentation of the webhook has it. */
export type PayloadName =
  | 'alertmanager-firing'
  | 'alertmanager-resolved'
  | 'grafana-firing'
  | 'grafana-resolved'
  | 'grafana-test';

export type Payload = {
  readonly alerts: readonly Readonly<Record<string, unknown>>[];
  readonly [field: string]: unknown;
};

export function payload(name: PayloadName): Payload {
  return JSON.parse(readFileSync(path.join(ROOT, 'test/fixtures/inbound', `${name}.json`), 'utf8'));
}

const entriesOf = ({ count, entry }: InboundPayload): InboundEntry[] =>
  Array.from({ length: count }, (_, index) => entry(index));
/** What a payload that was read opens. */
export const firing = (read: InboundPayload): InboundContent[] =>
  entriesOf(read).flatMap((one) => (one.ok && one.alert.status === 'firing' ? [one.alert.content] : []));
/** The keys of what it ends. */
export const resolved = (read: InboundPayload): string[] =>
  entriesOf(read).flatMap((one) => (one.ok && one.alert.status === 'resolved' ? one.alert.dedupKeys : []));
/** What is wrong with it, and where. */
export const problems = (read: InboundPayload): string[] =>
  entriesOf(read).flatMap((one) =>
    one.ok ? [] : one.errors.map(({ path, message }) => `${path} ${message}`),
  );
