import { linksOf } from '@belfry/shared/config/acknowledge-settings.js';
import { alertLimitsOf } from '@belfry/shared/config/alert-settings.js';
import { operatorMailOf } from '@belfry/shared/config/operator-settings.js';
import { watchOf } from '@belfry/shared/config/self-watch-settings.js';
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
import { type Authenticator, allow, authenticate } from './middleware/authenticate.js';
import { answerErrors, nothingHere } from './middleware/errors.js';
import type { Limits } from './middleware/limits.js';
import { observe } from './middleware/observe.js';
import { createKeyed, createOnce } from './middleware/once.js';
import { boundPipelines } from './middleware/pipelining.js';
import { createSourceOf } from './middleware/source-token.js';
import type { Realtime } from './realtime/realtime.js';
import { acknowledgeLinkRoutes } from './routes/acknowledge-link.js';
import { alertSourceRoutes } from './routes/alert-sources.js';
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
import { beatRoutes, heartbeatRoutes } from './routes/heartbeats.js';
import { importingRoutes } from './routes/importing.js';
import { inboundRoutes } from './routes/inbound.js';
import { inboundSmsRoutes } from './routes/inbound-sms.js';
import { inboxRoutes } from './routes/inbox.js';
import { inboxPageRoutes } from './routes/inbox-page.js';
import { metricsRoutes } from './routes/metrics.js';
import { onCallRoutes } from './routes/on-call.js';
import { onCallOverrideRoutes } from './routes/on-call-overrides.js';
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
  /** Whether the line to the MQTT broker is there; true when there is to be none. */
  readonly mqtt: () => boolean;
  /** Aborts when the process is to end: what is open without an end of its own is closed. */
  readonly ending: AbortSignal;
}

/** All middleware and all routes, in order. */
export function createApp(parts: ApiParts): Express {
  const { settings, database, engine, catalogue, notifier, log, migrated, authenticator, limits, realtime } =
    parts;
  const watch = watchOf(settings);
  const alerting = {
    ...parts,
    escalationStepMs: settings.ESCALATION_STEP_MS,
    operatorMail: operatorMailOf(settings),
    alertLimits: alertLimitsOf(settings),
  };
  const keyed = createKeyed(database);
  const once = createOnce(keyed, notifier);

  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  // As its routers: rules about paths, and a broker's about topics, know no other spelling.
  app.enable('case sensitive routing');

  app.use(boundPipelines());
  app.use(observe(parts.registry, parts.tracing));
  app.use(healthRoutes(parts, watch));
  app.use(metricsRoutes(parts.registry, createFleetView(database, engine, watch)));
  app.use(consoleRoutes());
  app.use(inboxPageRoutes());
  app.use(docsRoutes());
  app.use(boardRoutes(parts));
  app.use(acknowledgeLinkRoutes({ ...parts, links: linksOf(settings) }));

  app.use(helmet());
  app.use(realtimeRoutes(realtime.eventStream));
  app.use('/api/v1', (_req, _res, next) => {
    if (!migrated())
      throw new Refusal('unavailable', 'The database is not ready yet.', { retryAfterMs: 2_000 });
    next();
  });
  const sourceOf = createSourceOf(database, limits);
  app.use('/api/v1', inboundSmsRoutes(parts));
  const callers = [authenticate(authenticator), limits.calls];
  app.use('/api/v1', inboundRoutes({ ...alerting, sourceOf }));
  app.use('/api/v1', beatRoutes({ ...parts, sourceOf }, [...callers, allow('admin', 'internal')]));
  app.use('/api/v1', ...callers);
  app.use('/api/v1', sendingRoutes({ notifier, limits, once }));
  app.use('/api/v1', operatingRoutes(notifier));
  app.use('/api/v1', deadLetterRoutes({ database, notifier, keyed }));
  app.use('/api/v1', broadcastingRoutes({ ...parts, keyed }));
  app.use('/api/v1', broadcastRoutes(parts));
  app.use('/api/v1', broadcastProgressRoutes(parts));
  app.use('/api/v1', alertingRoutes({ ...alerting, keyed }));
  app.use('/api/v1', alertRoutes(parts));
  app.use('/api/v1', alertSourceRoutes(database));
  app.use('/api/v1', heartbeatRoutes(parts));
  app.use('/api/v1', escalationRoutes(parts));
  app.use('/api/v1', readingRoutes(database));
  app.use('/api/v1', importingRoutes(database, catalogue));
  app.use('/api/v1', peopleRoutes({ database, catalogue, notifier }));
  app.use('/api/v1', groupRoutes(database));
  app.use('/api/v1', onCallRoutes({ database, notifier }));
  app.use('/api/v1', onCallOverrideRoutes({ database, notifier, keyed }));
  app.use('/api/v1', deviceRoutes({ database, notifier }));
  app.use('/api/v1', inboxRoutes({ database, notifier, onRead: (person) => realtime.bus.look([person]) }));
  app.use('/api/v1', presenceRoutes({ settings, database, bus: realtime.bus }));
  app.use('/api/v1', auditRoutes(database));
  app.use('/api/v1', webhookSecretRoutes(database, settings.WEBHOOK_SECRETS));

  app.use(nothingHere);
  app.use(answerErrors(log));
  return app;
}
