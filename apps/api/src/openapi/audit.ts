import { record } from '@belfry/shared/channels/fields.js';
import { AUDIT_ACTIONS } from '@belfry/shared/ledger/audit.js';
import { z } from 'zod';
import { auditQuery } from '../routes/audit.js';
import { nextPage } from './headers.js';
import { json, type Topic } from './operation.js';
import { AT, ID, id, instant } from './shapes.js';

const auditEvent = z
  .object({
    id,
    at: instant,
    actor: z.string().meta({ description: 'The subject of the token, or the name of a command' }),
    role: z.string().meta({ description: 'Of the token; `system` for a command' }),
    action: z.enum(AUDIT_ACTIONS),
    target: z.string().nullable().meta({
      description:
        'As `person:<audit id>`, `notification:<id>`, `queue:email.normal`; null for an act on the whole',
    }),
    details: record,
  })
  .meta({ id: 'AuditEvent', description: 'An administrative act. Nothing in it is personal data.' });

export const audit: Topic = {
  name: 'Audit',
  description: 'Who did what, and when. Nothing in the trail is ever changed or taken away.',
  operations: [
    {
      id: 'listAuditEvents',
      method: 'get',
      path: '/api/v1/audit',
      who: ['admin'],
      summary: 'Administrative acts, newest first',
      description: 'All filters that are given must hold.',
      query: auditQuery,
      answers: {
        200: {
          description: 'A page of them',
          headers: { Link: nextPage },
          content: json(z.array(auditEvent), {
            page: [
              {
                id: ID,
                at: AT,
                actor: 'operator',
                role: 'admin',
                action: 'notification.cancel',
                target: `notification:${ID}`,
                details: { deliveries: 1 },
              },
            ],
          }),
        },
      },
    },
  ],
};
