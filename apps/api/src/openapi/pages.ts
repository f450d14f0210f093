import { channel } from '@belfry/shared/channels/fields.js';
import { PROVIDER_TROUBLE } from '@belfry/shared/domain/provider-standing.js';
import { z } from 'zod';
import { retryAfter } from './headers.js';
import { linkPages } from './link-pages.js';
import { type Content, json, type Topic } from './operation.js';
import { AT, instant } from './shapes.js';

const health = z.object({ status: z.literal('ok') }).meta({ id: 'Health' });

const readiness = z
  .object({
    status: z.enum(['ready', 'degraded', 'unavailable']),
    failing: z.array(z.string()).meta({ description: 'The parts that are not there' }),
    engine: z.enum(['postgres', 'redis']).meta({ description: 'Where the queues are' }),
    workers: z.int().nullable().meta({ description: 'Workers that are alive; null while nobody can tell' }),
    lost: z.int().nullable().meta({ description: 'Workers that fell silent within ten minutes' }),
    unserved: z.array(z.string()).meta({ description: 'Queues that no living worker serves' }),
    providers: z
      .array(
        z.object({
          account: z.string(),
          channel,
          state: z.enum(PROVIDER_TROUBLE),
          code: z.string().nullable(),
          since: instant,
        }),
      )
      .meta({ description: 'Accounts that do not work' }),
    untold: z
      .int()
      .min(0)
      .nullable()
      .meta({ description: 'Open alerts that there was nobody to tell of; null while nobody can tell' }),
    exhausted: z.int().min(0).nullable().meta({
      description: 'Open critical alerts whose escalation has come to its end; null while nobody can tell',
    }),
  })
  .meta({ id: 'Readiness' });

const FLEET = { workers: 3, lost: 0, unserved: [], providers: [], untold: 0, exhausted: 0 };

const page: Content = {
  'text/html': { schema: z.string(), examples: { page: '<!doctype html>…' } },
};

export const pages: Topic = {
  name: 'Pages',
  description:
    'What needs no token. Beside these, `/admin/queues` shows the queues to administrators and viewers.',
  operations: [
    {
      id: 'getHealth',
      method: 'get',
      path: '/health',
      who: null,
      summary: 'Whether the process is alive',
      description: 'Whatever has become of its databases.',
      answers: { 200: { description: 'Alive', content: json(health, { alive: { status: 'ok' } }) } },
    },
    {
      id: 'getReadiness',
      method: 'get',
      path: '/ready',
      who: null,
      summary: 'Whether calls should be sent here',
      answers: {
        200: {
          description: 'Calls are accepted; `degraded` when they are delivered later',
          content: json(readiness, {
            ready: { status: 'ready', failing: [], engine: 'redis', ...FLEET },
            degraded: {
              status: 'degraded',
              failing: ['providers'],
              engine: 'redis',
              ...FLEET,
              providers: [
                { account: 'smtp', channel: 'email', state: 'open', code: 'ECONNREFUSED', since: AT },
              ],
            },
          }),
        },
        503: {
          description: 'Nothing can be accepted',
          headers: { 'Retry-After': retryAfter },
          content: json(readiness, {
            unavailable: {
              status: 'unavailable',
              failing: ['database'],
              engine: 'redis',
              ...FLEET,
              workers: null,
              lost: null,
            },
          }),
        },
      },
    },
    {
      id: 'getMetrics',
      method: 'get',
      path: '/metrics',
      who: null,
      summary: 'Figures for Prometheus',
      description: 'Of this process, and of the fleet as the ledger and the queues have it.',
      answers: {
        200: {
          description: 'The text format of Prometheus',
          content: {
            'text/plain': {
              schema: z.string(),
              examples: {
                some: '# HELP belfry_workers_alive Workers that the ledger has heard of within 20 s.\n# TYPE belfry_workers_alive gauge\nbelfry_workers_alive 3\n',
              },
            },
          },
        },
      },
    },
    {
      id: 'getDocument',
      method: 'get',
      path: '/openapi.json',
      who: null,
      summary: 'This document',
      answers: {
        200: {
          description: 'OpenAPI 3.1',
          content: json(z.looseObject({ openapi: z.string() }), { document: { openapi: '3.1.1' } }),
        },
      },
    },
    {
      id: 'showDocument',
      method: 'get',
      path: '/docs',
      who: null,
      summary: 'This document as a page to read and try',
      answers: { 200: { description: 'A page', content: page } },
    },
    {
      id: 'showConsole',
      method: 'get',
      path: '/',
      who: null,
      summary: 'The console',
      description: 'It shows what the API says, and asks for an Admin token.',
      answers: { 200: { description: 'A page', content: page } },
    },
    {
      id: 'showInbox',
      method: 'get',
      path: '/inbox',
      who: null,
      summary: 'The inbox of a person',
      description: 'It shows what the API says, live, and asks for the token of the person.',
      answers: { 200: { description: 'A page', content: page } },
    },
    ...linkPages,
  ],
};
