import { fileURLToPath } from 'node:url';
import { shipped } from '@belfry/shared/files/shipped.js';
import { Router } from 'express';
import { ownFilesOnly } from '../middleware/own-files.js';

const PAGE = shipped('apps/api/public/docs');
const SWAGGER = fileURLToPath(new URL('.', import.meta.resolve('swagger-ui-dist/swagger-ui.css')));

/** What `/docs` is made of, and where each file of it lies. */
const FILES = {
  'docs.js': PAGE,
  'docs.css': PAGE,
  'swagger-ui.css': SWAGGER,
  'swagger-ui-bundle.js': SWAGGER,
} as const;

/**
 * The API's description for programs (`/openapi.json`) and for people (`/docs`: Swagger UI from its npm package, so that it
 * works where there is no internet). Neither needs a token: they hold nothing but what is in the source.
 */
export function docsRoutes(): Router {
  const router = Router({ caseSensitive: true });
  let document: Promise<string> | undefined;

  router.get('/openapi.json', shut, async (_req, res) => {
    document ??= describe();
    res
      .set('Cache-Control', 'no-cache')
      .type('application/json')
      .send(await document);
  });

  router.get('/docs', shut, (_req, res) => res.sendFile('index.html', { root: PAGE }));
  for (const [file, root] of Object.entries(FILES))
    router.get(`/docs/${file}`, shut, (_req, res) => res.sendFile(file, { root }));
  return router;
}

/** Made when it is first asked for, so that no start waits for it. */
async function describe(): Promise<string> {
  const { describeApi } = await import('../openapi/document.js');
  return JSON.stringify(describeApi());
}

/** Swagger UI sets styles on its elements, and shows pictures that are data. */
const shut = ownFilesOnly({ imgSrc: ["'self'", 'data:'] });
