import { alertLevel } from '@belfry/shared/channels/alert.js';
import { externalId } from '@belfry/shared/channels/fields.js';
import { SOURCE_KINDS } from '@belfry/shared/domain/alert-source.js';
import { invalid } from '@belfry/shared/domain/refusal.js';
import { z } from 'zod';
import { MOST_ALERTS, tooManyAlerts } from '../inbound/inbound-alert.js';
import { jsonAlert } from '../inbound/json-alert.js';
import { namesQuery, sourceBody, unknownSource } from '../routes/alert-sources.js';
import { heartbeatBody, unknownHeartbeat } from '../routes/heartbeats.js';
import { nextPage } from './headers.js';
import { json, type Topic } from './operation.js';
import { fieldError } from './problem.js';
import { AT, instant, LATER } from './shapes.js';

const SOURCE_FIELDS = {
  name: z.string(),
  kind: z.enum(SOURCE_KINDS),
  level: alertLevel,
  url: z.string().meta({ description: 'Where it sends to, on this API' }),
  created_at: instant,
  updated_at: instant,
  seen_at: instant.nullable().meta({ description: 'When it last called; null for never' }),
};

const source = z.object(SOURCE_FIELDS).meta({ id: 'AlertSource' });

const sourceWithToken = z
  .object({ ...SOURCE_FIELDS, token: z.string().meta({ description: 'Shown now and never again' }) })
  .meta({ id: 'AlertSourceWithToken' });

const payload = z
  .union([
    z
      .object({
        alerts: z.array(z.unknown()).max(MOST_ALERTS).meta({ description: 'One that is bad harms no other' }),
      })
      .meta({
        id: 'InboundAlerts',
        description:
          'The webhook of an Alertmanager (version 4) or a Grafana, or a list of alerts as a source of the kind `json` sends them.',
      }),
    jsonAlert,
  ])
  .meta({ description: "What the source's kind says" });

const count = z.int().min(0);

const taken = z
  .object({
    received: count,
    opened: count,
    repeated: count.meta({ description: 'One more of an alert that is not resolved: nobody is told again' }),
    resolved: count,
    ignored: count.meta({ description: 'Resolved what is not open here' }),
    refused: count.meta({ description: 'Could not be read; `errors` says why' }),
    truncated: count.meta({ description: 'How many more there are that the source did not send' }),
    errors: z
      .array(z.object({ index: count, errors: z.array(fieldError) }))
      .meta({ description: 'The first hundred mistakes, by the place of their alert in the list' }),
  })
  .meta({ id: 'TakenAlerts', description: 'What came of a payload. All that is counted is committed.' });

const HEARTBEAT_FIELDS = {
  name: z.string(),
  after_ms: z.int(),
  alert_type: z.string(),
  level: alertLevel,
  message: z.string().nullable(),
  beat_at: instant.meta({ description: 'When it was last heard of; when it was added, if it never was' }),
  due_at: instant.meta({ description: 'When it will be missed' }),
  missed_at: instant.nullable().meta({ description: 'Since when it is missed; null when it is not' }),
  created_at: instant,
  updated_at: instant,
};

const heartbeat = z.object(HEARTBEAT_FIELDS).meta({ id: 'Heartbeat' });

const beat = z.object({ name: z.string(), due_at: instant }).meta({ id: 'Beat' });

const bySource = z.object({
  name: externalId.meta({ description: 'The source', param: { example: 'prometheus' } }),
});
const byHeartbeat = z.object({
  name: externalId.meta({ description: 'The heartbeat', param: { example: 'nightly-backup' } }),
});

const SOURCE = {
  name: 'prometheus',
  kind: 'alertmanager',
  level: 'warning',
  url: '/api/v1/inbound/prometheus',
  created_at: AT,
  updated_at: AT,
  seen_at: LATER,
};
const NEW_SOURCE = { ...SOURCE, seen_at: null, token: `belfry_source_${'x'.repeat(43)}` };
const TAKEN = {
  received: 1,
  opened: 1,
  repeated: 0,
  resolved: 0,
  ignored: 0,
  refused: 0,
  truncated: 0,
  errors: [],
};
const HEARTBEAT = {
  name: 'nightly-backup',
  after_ms: 90_000_000,
  alert_type: 'heartbeat_missed',
  level: 'critical',
  message: null,
  beat_at: AT,
  due_at: LATER,
  missed_at: null,
  created_at: AT,
  updated_at: AT,
};
const FROM_ALERTMANAGER = {
  version: '4',
  groupKey: '{}:{alertname="DiskFull"}',
  truncatedAlerts: 0,
  status: 'firing',
  receiver: 'belfry',
  groupLabels: { alertname: 'DiskFull' },
  commonLabels: { alertname: 'DiskFull', severity: 'critical' },
  commonAnnotations: {},
  externalURL: 'https://alertmanager.example.com',
  alerts: [
    {
      status: 'firing',
      labels: { alertname: 'DiskFull', instance: 'db-1:9100', severity: 'critical' },
      annotations: { summary: 'The disk of db-1 is full.' },
      startsAt: AT,
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: 'https://prometheus.example.com/graph',
      fingerprint: '5ef77f1f8a3ecfa8',
    },
  ],
};
const FROM_A_SCRIPT = {
  type: 'backup_failed',
  level: 'critical',
  message: 'The backup of db-1 failed.',
  dedup_key: 'backup:db-1',
};

export const inbound: Topic = {
  name: 'Inbound alerts',
  description:
    'Alerts from what you already run: Alertmanager, Grafana, a script; and what must be heard of. `source` is an alert source with its own token.',
  operations: [
    {
      id: 'listAlertSources',
      method: 'get',
      path: '/api/v1/alert-sources',
      who: ['admin'],
      summary: 'Alert sources, by their names',
      query: namesQuery,
      answers: {
        200: {
          description: 'A page of them',
          headers: { Link: nextPage },
          content: json(z.array(source), { page: [SOURCE] }),
        },
      },
    },
    {
      id: 'putAlertSource',
      method: 'put',
      path: '/api/v1/alert-sources/{name}',
      who: ['admin'],
      summary: 'Add an alert source, or change one',
      description: 'One that was there keeps its token.',
      params: bySource,
      body: json(sourceBody, { alertmanager: { kind: 'alertmanager', level: 'warning' } }),
      answers: {
        200: { description: 'It is changed', content: json(source, { source: SOURCE }) },
        201: { description: 'It is added', content: json(sourceWithToken, { source: NEW_SOURCE }) },
      },
    },
    {
      id: 'getAlertSource',
      method: 'get',
      path: '/api/v1/alert-sources/{name}',
      who: ['admin'],
      summary: 'An alert source, without its token',
      params: bySource,
      answers: { 200: { description: 'The source', content: json(source, { source: SOURCE }) } },
      refusals: [unknownSource('unknown')],
    },
    {
      id: 'replaceAlertSourceToken',
      method: 'post',
      path: '/api/v1/alert-sources/{name}/token',
      who: ['admin'],
      summary: 'Give an alert source another token',
      description: 'The one before it is good for nothing from now on.',
      params: bySource,
      answers: {
        200: { description: 'The new token', content: json(sourceWithToken, { source: NEW_SOURCE }) },
      },
      refusals: [unknownSource('unknown')],
    },
    {
      id: 'removeAlertSource',
      method: 'delete',
      path: '/api/v1/alert-sources/{name}',
      who: ['admin'],
      summary: 'Take an alert source away',
      description: 'What it has opened stays as it is.',
      params: bySource,
      answers: { 204: { description: 'It is gone' } },
      refusals: [unknownSource('unknown')],
    },
    {
      id: 'takeAlerts',
      method: 'post',
      path: '/api/v1/inbound/{name}',
      who: ['source'],
      summary: 'Open and resolve alerts',
      description:
        'In the format of the kind of the source. Each alert is committed by itself, and sending the same again only counts. The token is a bearer token, or the password of HTTP Basic.',
      params: bySource,
      body: json(payload, { alertmanager: FROM_ALERTMANAGER, json: FROM_A_SCRIPT }),
      answers: { 200: { description: 'What came of them', content: json(taken, { opened: TAKEN }) } },
      refusals: [
        unknownSource('unknown'),
        tooManyAlerts(1_500),
        invalid([{ path: 'alerts', message: 'must be an array' }]),
      ],
    },
    {
      id: 'listHeartbeats',
      method: 'get',
      path: '/api/v1/heartbeats',
      who: ['admin'],
      summary: 'Heartbeats, by their names',
      query: namesQuery,
      answers: {
        200: {
          description: 'A page of them',
          headers: { Link: nextPage },
          content: json(z.array(heartbeat), { page: [HEARTBEAT] }),
        },
      },
    },
    {
      id: 'putHeartbeat',
      method: 'put',
      path: '/api/v1/heartbeats/{name}',
      who: ['admin'],
      summary: 'Add a heartbeat, or change one',
      description: 'Its time begins now.',
      params: byHeartbeat,
      body: json(heartbeatBody, { nightly: { after_ms: 90_000_000 } }),
      answers: {
        200: { description: 'It is changed', content: json(heartbeat, { heartbeat: HEARTBEAT }) },
        201: { description: 'It is added', content: json(heartbeat, { heartbeat: HEARTBEAT }) },
      },
    },
    {
      id: 'getHeartbeat',
      method: 'get',
      path: '/api/v1/heartbeats/{name}',
      who: ['admin'],
      summary: 'A heartbeat',
      params: byHeartbeat,
      answers: { 200: { description: 'The heartbeat', content: json(heartbeat, { heartbeat: HEARTBEAT }) } },
      refusals: [unknownHeartbeat('unknown')],
    },
    {
      id: 'beat',
      method: 'post',
      path: '/api/v1/heartbeats/{name}',
      who: ['admin', 'internal', 'source'],
      summary: 'Say that something is alive',
      description: 'Resolves the alert of its silence. A body is not looked at.',
      params: byHeartbeat,
      answers: {
        200: {
          description: 'It was heard',
          content: json(beat, { beat: { name: 'nightly-backup', due_at: LATER } }),
        },
      },
      refusals: [unknownHeartbeat('unknown')],
    },
    {
      id: 'removeHeartbeat',
      method: 'delete',
      path: '/api/v1/heartbeats/{name}',
      who: ['admin'],
      summary: 'Take a heartbeat away',
      description: 'Resolves the alert of its silence.',
      params: byHeartbeat,
      answers: { 204: { description: 'It is gone' } },
      refusals: [unknownHeartbeat('unknown')],
    },
  ],
};
