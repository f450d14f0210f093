import path from 'node:path';
import express, { Router } from 'express';
import { ownFilesOnly } from '../middleware/own-files.js';
import { PUBLIC } from './console.js';

/** The inbox as a page. It holds nothing secret; what it shows it asks for with the token of a person. */
export function inboxPageRoutes(): Router {
  const router = Router({ caseSensitive: true });
  const shut = ownFilesOnly();
  const root = path.join(PUBLIC, 'inbox');
  router.get('/inbox', shut, (_req, res) => res.sendFile('index.html', { root }));
  router.use('/inbox/', shut, express.static(root, { index: false, redirect: false }));
  return router;
}
