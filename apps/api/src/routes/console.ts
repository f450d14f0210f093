import { fileURLToPath } from 'node:url';
import express, { Router } from 'express';
import helmet from 'helmet';

const PAGES = fileURLToPath(new URL('../../public', import.meta.url));

/** The console: a page that shows what the API says. It holds nothing secret; what it shows it asks for with a token. */
export function consoleRoutes(): Router {
  const router = Router();
  const shut = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
  });
  router.get('/', shut, (_req, res) => res.sendFile('index.html', { root: PAGES }));
  router.use('/console', shut, express.static(PAGES, { index: false }));
  return router;
}
