import { z } from 'zod';
import { retryAfter } from './headers.js';
import { type Content, json, type Topic } from './operation.js';

const health = z.object({ status: z.literal('ok') }).meta({ id: 'Health' });

const readiness = z
  .object({
    status: z.enum(['ready', 'degraded', 'unavailable']),
    failing: z.array(z.string()).meta({ description: 'The parts that are not there' }),
    engine: z.enum(['postgres', 'redis']).meta({ description: 'Where the queues are' }),
  })
  .meta({ id: 'Readiness' });

const page: Content = {
  'text/html': { schema: z.string(), examples: { page: '<!doctype html>…' } },
};

export const pages: Topic = {
  name: 'Pages',
  description: 'What needs no token. Beside these, `/admin/queues` shows the queues to administrators.',
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
            ready: { status: 'ready', failing: [], engine: 'redis' },
            degraded: { status: 'degraded', failing: ['queue'], engine: 'redis' },
          }),
        },
        503: {
          description: 'Nothing can be accepted',
          headers: { 'Retry-After': retryAfter },
          content: json(readiness, {
            unavailable: { status: 'unavailable', failing: ['database'], engine: 'redis' },
          }),
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
  ],
};
