import { readFileSync } from 'node:fs';
import path from 'node:path';
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
