import { escalationPolicyBody } from '@belfry/shared/channels/escalation.js';
import { externalId } from '@belfry/shared/channels/fields.js';
import type { ApiSettings } from '@belfry/shared/config/settings.js';
import { builtInPolicy, DEFAULT_POLICY, type EscalationPolicy } from '@belfry/shared/domain/alert.js';
import { invalid, Refusal } from '@belfry/shared/domain/refusal.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import {
  findPolicy,
  listPolicies,
  putPolicy,
  removePolicy,
  type WrittenPolicy,
} from '@belfry/shared/ledger/escalation-policies.js';
import { Router } from 'express';
import { z } from 'zod';
import { allow, callerOf } from '../middleware/authenticate.js';
import { jsonBody } from '../middleware/body.js';
import { cursorOf, linkNext, pageLimit } from '../middleware/paging.js';
import { parse } from '../middleware/parse.js';
import { nameIn } from './name-in.js';

export const policyQuery = z.object({
  limit: pageLimit,
  cursor: cursorOf((text) => externalId.safeParse(text).success).optional(),
});

/** What happens while nobody acknowledges an alert: policies by their names. */
export function escalationRoutes({
  database,
  settings,
}: {
  readonly database: Database;
  readonly settings: ApiSettings;
}): Router {
  const router = Router({ caseSensitive: true });
  const admins = allow('admin');

  router.get('/escalation-policies', admins, async (req, res) => {
    const { limit, cursor } = parse(policyQuery, req.query);
    const found = await listPolicies(database, { afterName: cursor ?? '', limit: limit + 1 });
    const shown = found.slice(0, limit);
    linkNext(req, res, found.length > limit ? (shown.at(-1)?.name ?? null) : null);
    res.json(shown.map(shownPolicy));
  });

  router.get('/escalation-policies/:name', admins, async (req, res) => {
    const name = nameIn(req);
    const written = await findPolicy(database, name);
    if (written !== null) res.json(shownPolicy(written));
    else if (name === DEFAULT_POLICY) res.json(shownBuiltIn(builtInPolicy(settings.ESCALATION_STEP_MS)));
    else throw unknownPolicy(name);
  });

  router.put('/escalation-policies/:name', admins, ...jsonBody('256kb'), async (req, res) => {
    const name = nameIn(req);
    const { steps, repeat } = parse(escalationPolicyBody, req.body);
    // JSON leaves out what is undefined, as it is kept and shown.
    const policy: EscalationPolicy = JSON.parse(JSON.stringify({ name, steps, repeat }));
    const put = await putPolicy(database, policy, callerOf(req));
    if (put.kind === 'refused') throw invalid(put.errors);
    res.status(put.created ? 201 : 200).json(shownPolicy(put.policy));
  });

  router.delete('/escalation-policies/:name', admins, async (req, res) => {
    const name = nameIn(req);
    if (!(await removePolicy(database, name, callerOf(req)))) throw unknownPolicy(name);
    res.status(204).end();
  });

  return router;
}

function shownPolicy({ name, steps, repeat, createdAt, updatedAt }: WrittenPolicy) {
  return { name, steps, repeat, built_in: false, created_at: createdAt, updated_at: updatedAt };
}

function shownBuiltIn({ name, steps, repeat }: EscalationPolicy) {
  return { name, steps, repeat, built_in: true, created_at: null, updated_at: null };
}

export function unknownPolicy(name: string): Refusal {
  return new Refusal('not_found', `Escalation policy ${name} not found.`, {
    reason: 'unknown_escalation_policy',
  });
}
