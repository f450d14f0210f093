import { externalId } from '@belfry/shared/channels/fields.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import { webhookSecretOf } from '@belfry/shared/domain/webhook-secret.js';
import { auditTargetOf, recordAudit } from '@belfry/shared/ledger/audit.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import { Router } from 'express';
import { z } from 'zod';
import { allow, callerOf } from '../middleware/authenticate.js';
import { parse } from '../middleware/parse.js';
import { unknownPerson } from './known-person.js';

/** What a person's receiver checks webhooks with, to be handed on to whoever runs it. Who asked is written down. */
export function webhookSecretRoutes(database: Database, secrets: readonly string[] = []): Router {
  const router = Router({ caseSensitive: true });

  router.get('/users/:id/webhook-secret', allow('admin'), async (req, res) => {
    const { id } = parse(z.object({ id: externalId }), { id: req.params.id });
    const [secret, previous] = secrets.map((one) => webhookSecretOf(one, id));
    await database.transaction(async (transaction) => {
      const target = await auditTargetOf(transaction, id);
      if (target === null) throw unknownPerson(id);
      if (secret === undefined) throw noWebhookSecrets();
      await recordAudit(transaction, { actor: callerOf(req), action: 'webhook_secret.read', target });
    });
    // While secrets are rotated a receiver may check with either; the first is the one to keep.
    res
      .set('Cache-Control', 'no-store')
      .json({ secret, ...(previous === undefined ? {} : { previous_secret: previous }) });
  });

  return router;
}

export function noWebhookSecrets(): Refusal {
  return new Refusal('not_found', 'No webhooks are sent: WEBHOOK_SECRETS is not set for the API.', {
    reason: 'no_webhook_secrets',
  });
}
