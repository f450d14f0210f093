import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { ROOT } from '../support/process.js';

const page = readFileSync(path.join(ROOT, 'docs/inbound-alerts.md'), 'utf8');
const snippets = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, yaml = '']): unknown => parse(yaml));

type Webhook = {
  readonly url: string;
  readonly send_resolved: boolean;
  readonly http_config: {
    readonly authorization: { readonly type: string; readonly credentials_file: string };
  };
};

test('the alertmanager.yml of the page sends alerts to a source and the watchdog to a heartbeat, with a bearer token', () => {
  const { route, receivers } = snippets[0] as {
    route: { receiver: string; routes: { receiver: string; matchers: string[] }[] };
    receivers: { name: string; webhook_configs: Webhook[] }[];
  };
  const named = receivers.map(({ name }) => name);
  assert.deepEqual([route.receiver, ...route.routes.map(({ receiver }) => receiver)], named);
  assert.deepEqual(route.routes[0]?.matchers, ['alertname = "Watchdog"']);
  const hooks = receivers.flatMap(({ webhook_configs }) => webhook_configs);
  assert.deepEqual(
    hooks.map(({ url, send_resolved }) => [new URL(url).pathname, send_resolved]),
    [
      ['/api/v1/inbound/prometheus', true],
      ['/api/v1/heartbeats/prometheus', false],
    ],
  );
  for (const { http_config } of hooks) {
    assert.equal(http_config.authorization.type, 'Bearer');
    assert.match(http_config.authorization.credentials_file, /^\//);
  }
});

test('the contact point of the page is one that Grafana provisions, with a bearer token', () => {
  const { apiVersion, contactPoints } = snippets[1] as {
    apiVersion: number;
    contactPoints: {
      name: string;
      receivers: { type: string; disableResolveMessage: boolean; settings: object }[];
    }[];
  };
  assert.equal(apiVersion, 1);
  const [receiver] = contactPoints.flatMap(({ receivers }) => receivers);
  assert.deepEqual([receiver?.type, receiver?.disableResolveMessage], ['webhook', false]);
  assert.deepEqual(receiver?.settings, {
    url: 'https://belfry.example.com/api/v1/inbound/grafana',
    httpMethod: 'POST',
    authorization_scheme: 'Bearer',
    authorization_credentials: '$BELFRY_TOKEN',
    maxAlerts: '500',
  });
  assert.equal(snippets.length, 2);
});
