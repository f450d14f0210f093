import { fileURLToPath } from 'node:url';
import express, { Router } from 'express';
import type { Recorder } from './recorder.js';

const PUBLIC = fileURLToPath(new URL('../public/', import.meta.url));

// Trusted Types turn every HTML sink off: a message can only ever become text.
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

// The one page that has a service worker, whose address is an HTML sink too.
const BROWSER_POLICY = PAGE_POLICY.replace(
  "trusted-types 'none'",
  "trusted-types service-worker; worker-src 'self'",
);

// `sandbox` without any permission: a document of no origin, without scripts, forms or windows, even if opened alone.
const MAIL_POLICY = [
  'sandbox',
  "default-src 'none'",
  'img-src data:',
  'font-src data:',
  "style-src 'unsafe-inline'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ');

/** The page for people: the files of `public/`, and each HTML mail as a document that can do nothing. */
export function pageRoutes(recorder: Recorder): Router {
  const routes = Router();
  routes.use((_req, res, next) => {
    res.set({
      'content-security-policy': PAGE_POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    next();
  });
  routes.get('/messages/:id/html', (req, res, next) => {
    const html = recorder.get(Number(req.params.id))?.html;
    if (html === undefined) return next();
    res.set('content-security-policy', MAIL_POLICY).type('html').send(html);
  });
  routes.get('/browser.html', (_req, res, next) => {
    res.set('content-security-policy', BROWSER_POLICY);
    next();
  });
  routes.use(express.static(PUBLIC, { cacheControl: false }));
  return routes;
}
