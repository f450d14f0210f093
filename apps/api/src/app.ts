import type { ApiSettings } from '@belfry/shared/config/settings.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import type { Notifier } from '@belfry/shared/notify/notifier.js';
import type { QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import type { Logger } from '@belfry/shared/service/log.js';
import express, { type Express } from 'express';
import helmet from 'helmet';
import { authenticate, createAuthenticator } from './middleware/authenticate.js';
import { answerErrors, nothingHere } from './middleware/errors.js';
import { createLimits } from './middleware/limits.js';
import { createOnce } from './middleware/once.js';
import { boardRoutes } from './routes/board.js';
import { consoleRoutes } from './routes/console.js';
import { docsRoutes } from './routes/docs.js';
import { healthRoutes } from './routes/health.js';
import { operatingRoutes } from './routes/operating.js';
import { peopleRoutes } from './routes/people.js';
import { readingRoutes } from './routes/reading.js';
import { sendingRoutes } from './routes/sending.js';

export interface ApiParts {
  readonly settings: ApiSettings;
  readonly database: Database;
  readonly engine: QueueEngine;
  readonly notifier: Notifier;
  readonly log: Logger;
  /** False until the schema is what this build needs. */
  readonly migrated: () => boolean;
}

/** All middleware and all routes, in order. */
export function createApp(parts: ApiParts): Express {
  const { settings, database, engine, notifier, log, migrated } = parts;
  const authenticator = createAuthenticator(settings);
  const limits = createLimits(settings, engine);
  const once = createOnce(database, notifier);

  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');

  app.use(healthRoutes({ database, engine, migrated }));
  app.use(consoleRoutes());
  app.use(docsRoutes());
  app.use(boardRoutes(engine, authenticator));

  app.use(helmet());
  app.use('/api/v1', (_req, _res, next) => {
    if (!migrated())
      throw new Refusal('unavailable', 'The database is not ready yet.', { retryAfterMs: 2_000 });
    next();
  });
  app.use('/api/v1', authenticate(authenticator), limits.calls);
  app.use('/api/v1', sendingRoutes({ notifier, limits, once }));
  app.use('/api/v1', operatingRoutes(notifier));
  app.use('/api/v1', readingRoutes(database));
  app.use('/api/v1', peopleRoutes(database));

  app.use(nothingHere);
  app.use(answerErrors(log));
  return app;
}
