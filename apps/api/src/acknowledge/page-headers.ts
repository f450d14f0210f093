import type { RequestHandler } from 'express';
import { ownFilesOnly } from '../middleware/own-files.js';
import { STYLE_HASH } from './page.js';

const shut = ownFilesOnly(
  {
    scriptSrc: ["'none'"],
    styleSrc: [STYLE_HASH],
    imgSrc: ['data:'],
    connectSrc: ["'none'"],
    formAction: ["'self'"],
  },
  // The link must not travel on to any place that the page could lead to.
  { xFrameOptions: { action: 'deny' }, referrerPolicy: { policy: 'no-referrer' } },
);

/** No cache keeps the page and no search engine its address, which is all that it takes to answer for somebody. */
export const linkHeaders: RequestHandler = (req, res, next) => {
  res.set('Cache-Control', 'no-store').set('X-Robots-Tag', 'noindex, nofollow');
  shut(req, res, next);
};
