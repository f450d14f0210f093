import type { ApiSettings } from '@belfry/shared/config/settings.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import type { Notifier } from '@belfry/shared/notify/notifier.js';
import type { Enqueuer } from '@belfry/shared/queue/enqueuer.js';
import type { QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import type { Events } from '@belfry/shared/service/events.js';
import type { Logger } from '@belfry/shared/service/log.js';
import type { Registry } from '@belfry/shared/service/metrics.js';
import type { Tracing } from '@belfry/shared/service/tracing.js';
import type { Catalogue } from '@belfry/shared/templates/catalogue.js';
import express, { type Express } from 'express';
import helmet from 'helmet';
import { createFleetView } from './metrics/fleet-view.js';
import { type Authenticator, authenticate } from './middleware/authenticate.js';
import { answerErrors, nothingHere } from './middleware/errors.js';
import type { Limits } from './middleware/limits.js';
import { observe } from './middleware/observe.js';
import { createKeyed, createOnce } from './middleware/once.js';
import type { Realtime } from './realtime/realtime.js';
import { alertingRoutes } from './routes/alerting.js';
import { alertRoutes } from './routes/alerts.js';
import { auditRoutes } from './routes/audit.js';
import { boardRoutes } from './routes/board.js';
import { broadcastProgressRoutes } from './routes/broadcast-progress.js';
import { broadcastingRoutes } from './routes/broadcasting.js';
import { broadcastRoutes } from './routes/broadcasts.js';
import { consoleRoutes } from './routes/console.js';
import { deadLetterRoutes } from './routes/dead-letters.js';
import { deviceRoutes } from './routes/devices.js';
import { docsRoutes } from './routes/docs.js';
import { escalationRoutes } from './routes/escalation.js';
import { groupRoutes } from './routes/groups.js';
import { healthRoutes } from './routes/health.js';
import { importingRoutes } from './routes/importing.js';
import { inboxRoutes } from './routes/inbox.js';
import { inboxPageRoutes } from './routes/inbox-page.js';
import { metricsRoutes } from './routes/metrics.js';
import { operatingRoutes } from './routes/operating.js';
import { peopleRoutes } from './routes/people.js';
import { presenceRoutes } from './routes/presence.js';
import { readingRoutes } from './routes/reading.js';
import { realtimeRoutes } from './routes/realtime.js';
import { sendingRoutes } from './routes/sending.js';
import { webhookSecretRoutes } from './routes/webhook-secret.js';

export interface ApiParts {
  readonly settings: ApiSettings;
  readonly database: Database;
  readonly engine: QueueEngine;
  readonly catalogue: Catalogue;
  readonly enqueuer: Enqueuer;
  readonly notifier: Notifier;
  readonly log: Logger;
  readonly events: Events;
  readonly registry: Registry;
  readonly tracing: Tracing;
  readonly authenticator: Authenticator;
  readonly limits: Limits;
  readonly realtime: Realtime;
  /** False until the schema is what this build needs. */
  readonly migrated: () => boolean;
  /** Aborts when the process is to end: what is open without an end of its own is closed. */
  readonly ending: AbortSignal;
}

/** All middleware and all routes, in order. */
export function createApp(parts: ApiParts): Express {
  const { settings, database, engine, catalogue, notifier, log, migrated, authenticator, limits, realtime } =
    parts;
  const keyed = createKeyed(database);
  const once = createOnce(keyed, notifier);

  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');

  app.use(observe(parts.registry, parts.tracing));
  app.use(healthRoutes({ database, engine, migrated }));
  app.use(metricsRoutes(parts.registry, createFleetView(database, engine)));
  app.use(consoleRoutes());
  app.use(inboxPageRoutes());
  app.use(docsRoutes());
  app.use(boardRoutes(parts));

  app.use(helmet());
  app.use(realtimeRoutes(realtime.eventStream));
  app.use('/api/v1', (_req, _res, next) => {
    if (!migrated())
      throw new Refusal('unavailable', 'The database is not ready yet.', { retryAfterMs: 2_000 });
    next();
  });
  app.use('/api/v1', authenticate(authenticator), limits.calls);
  app.use('/api/v1', sendingRoutes({ notifier, limits, once }));
  app.use('/api/v1', operatingRoutes(notifier));
  app.use('/api/v1', deadLetterRoutes({ database, notifier, keyed }));
  app.use('/api/v1', broadcastingRoutes({ ...parts, keyed }));
  app.use('/api/v1', broadcastRoutes(parts));
  app.use('/api/v1', broadcastProgressRoutes(parts));
  app.use(
    '/api/v1',
    alertingRoutes({
      ...parts,
      keyed,
      escalationStepMs: settings.ESCALATION_STEP_MS,
      operatorEmail: settings.OPERATOR_EMAIL ?? null,
    }),
  );
  app.use('/api/v1', alertRoutes(parts));
  app.use('/api/v1', escalationRoutes(parts));
  app.use('/api/v1', readingRoutes(database));
  app.use('/api/v1', importingRoutes(database, catalogue));
  app.use('/api/v1', peopleRoutes({ database, catalogue, notifier }));
  app.use('/api/v1', groupRoutes(database));
  app.use('/api/v1', deviceRoutes({ database, notifier }));
  app.use('/api/v1', inboxRoutes({ database, notifier, onRead: (person) => realtime.bus.look([person]) }));
  app.use('/api/v1', presenceRoutes({ settings, database, bus: realtime.bus }));
  app.use('/api/v1', auditRoutes(database));
  app.use('/api/v1', webhookSecretRoutes(database, settings.WEBHOOK_SECRETS));

  app.use(nothingHere);
  app.use(answerErrors(log));
  return app;
}
