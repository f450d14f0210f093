import type { RequestHandler } from 'express';
import { ownFilesOnly } from '../middleware/own-files.js';

/** The one style that Bull Board 9.10 writes into its page by itself: the colours of the icon of Redis. */
const REDIS_ICON = "'sha256-r2N1TB/gHbBtBZFKg7ejmq1acVSREzucTAEw6ga4hoU='";

/** It has forms, and pictures and a font of its own. */
const shut = ownFilesOnly(
  {
    styleSrc: ["'self'", REDIS_ICON],
    imgSrc: ["'self'", 'data:'],
    fontSrc: ["'self'"],
    formAction: ["'self'"],
    baseUri: ["'self'"],
  },
  {
    xFrameOptions: { action: 'deny' },
    // With `no-referrer` a browser would hide the origin of its own forms, which every change is judged by.
    referrerPolicy: { policy: 'same-origin' },
  },
);

/** No other site sees into the board, and no cache keeps what it shows. */
export const boardHeaders: RequestHandler = (req, res, next) => {
  // The names of these files change with what is in them.
  const lasting = /^\/static\/(js|css)\//i.test(req.path);
  res.set('Cache-Control', lasting ? 'private, max-age=86400' : 'no-store');
  shut(req, res, next);
};
