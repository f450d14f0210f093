import { shipped } from '@belfry/shared/files/shipped.js';
import express, { Router } from 'express';
import { ownFilesOnly } from '../middleware/own-files.js';

/** The files of the pages that anybody may read. */
export const PUBLIC = shipped('apps/api/public');

/** The console: a page that shows what the API says. It holds nothing secret; what it shows it asks for with a token. */
export function consoleRoutes(): Router {
  const router = Router({ caseSensitive: true });
  const shut = ownFilesOnly();
  router.get('/', shut, (_req, res) => res.sendFile('index.html', { root: PUBLIC }));
  router.use('/console', shut, express.static(PUBLIC, { index: false }));
  return router;
}
