import type { ApiSettings } from '@belfry/shared/config/settings.js';
import { Refusal, type RefusalCode } from '@belfry/shared/domain/refusal.js';
import { type Actor, type AuditAction, recordAudit } from '@belfry/shared/ledger/audit.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import type { QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import express, { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import type { Authenticator } from '../middleware/authenticate.js';
import { setRefusalHeaders } from '../middleware/errors.js';
import { parse } from '../middleware/parse.js';
import { problemOf } from '../middleware/problem.js';
import { PUBLIC } from '../routes/console.js';
import { createAttempts } from './attempts.js';
import { createRecognise, type Recognised } from './credentials.js';
import { prefersPages } from './request-kind.js';
import { cookieOptions, SESSION_COOKIE, type Sessions, type SignedIn } from './session.js';
import { signInPage } from './sign-in-page.js';

/** A form or JSON, with the secret as `password` or as `token`: either field takes either. */
const signInForm = z.object({
  password: z.string().max(8_192).optional(),
  token: z.string().max(8_192).optional(),
  next: z.string().max(2_048).optional(),
});

export interface SignInParts {
  readonly settings: ApiSettings;
  readonly database: Database;
  readonly engine: QueueEngine;
  readonly authenticator: Authenticator;
  readonly sessions: Sessions;
  /** Where the board is. */
  readonly base: string;
}

/** Signing in: what may be asked for by somebody whom nobody knows yet. */
export function signInRoutes({
  settings,
  database,
  engine,
  authenticator,
  sessions,
  base,
}: SignInParts): Router {
  const router = Router({ caseSensitive: true });
  const attempts = createAttempts(engine);
  const recognise = createRecognise(settings, authenticator);

  router.get('/sign-in', (req, res) => {
    res.send(
      signInPage({ base, next: nextIn(req.query.next, base), message: '', possible: sessions.possible }),
    );
  });
  // Its looks, which are the console's.
  router.use('/sign-in', express.static(PUBLIC, { index: false }));

  const body = [
    express.urlencoded({ extended: false, limit: '32kb', parameterLimit: 10 }),
    express.json({ limit: '32kb' }),
  ];
  router.post('/sign-in', body, async (req: Request, res: Response) => {
    const { password, token, next } = parse(signInForm, req.body);
    const refuse = (refusal: Refusal) => answer(req, res, refusal, nextIn(next, base));
    if (!sessions.possible)
      return refuse(new Refusal('unavailable', 'Nobody can sign in here: SESSION_SECRET is not set.'));
    const address = req.socket.remoteAddress ?? '';
    try {
      await attempts.begin(address);
      const recognised = await recognise(token ?? password ?? '');
      if (recognised.kind !== 'known') {
        await write(...strangers(recognised));
        return refuse(refusalOf(recognised));
      }
      await attempts.succeeded(address);
      const { who } = recognised;
      await write({ sub: who.sub, role: who.role }, 'board.sign_in', { by: who.by });
      await begin(req, res, who);
      res.redirect(303, nextIn(next, base));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refuse(error);
    }
  });

  async function begin(req: Request, res: Response, who: SignedIn): Promise<void> {
    const { cookie, maxAgeMs } = await sessions.begin(who);
    res.cookie(SESSION_COOKIE, cookie, { ...cookieOptions(base, overTls(req)), maxAge: maxAgeMs });
  }

  function write(actor: Actor, action: AuditAction, details: Record<string, unknown>): Promise<void> {
    return recordAudit(database, { actor, action, target: null, details });
  }

  function answer(req: Request, res: Response, refusal: Refusal, next: string): void {
    setRefusalHeaders(res, refusal);
    const problem = problemOf(refusal);
    res.status(problem.status);
    if (!prefersPages(req)) {
      res.type('application/problem+json').send(JSON.stringify(problem));
      return;
    }
    const message = MESSAGES[refusal.code] ?? refusal.message;
    res.send(signInPage({ base, next, message, possible: sessions.possible }));
  }

  return router;
}

type Unrecognised = Exclude<Recognised, { kind: 'known' }>;

function strangers(recognised: Unrecognised): [Actor, AuditAction, Record<string, unknown>] {
  const { sub, role } = recognised.kind === 'stranger' ? recognised : { sub: 'unknown', role: 'none' };
  return [
    { sub, role },
    'board.sign_in_refused',
    { reason: recognised.kind === 'stranger' ? 'role' : 'secret' },
  ];
}

function refusalOf({ kind }: Unrecognised): Refusal {
  return kind === 'stranger'
    ? new Refusal('forbidden', 'Forbidden')
    : new Refusal('unauthenticated', 'This is neither a valid token nor the password.');
}

const MESSAGES: Partial<Record<RefusalCode, string>> = {
  forbidden: 'This token may not see the queues: it takes the role Admin or Viewer.',
};

/** A page of the board to go on to: nothing that could lead to another site. */
function nextIn(asked: unknown, base: string): string {
  const home = `${base}/`;
  if (typeof asked !== 'string' || !asked.startsWith(home)) return home;
  return /^\/[\w./~%-]*(\?[\w.~%=&+-]*)?$/.test(asked) && !/\/\/|\/sign-/.test(asked) ? asked : home;
}

/** Whether the browser came over TLS, as it says itself, or as a proxy says: a lie only locks its teller out. */
function overTls(req: Request): boolean {
  const forwarded = req.get('X-Forwarded-Proto')?.split(',')[0]?.trim();
  return req.secure || req.get('Origin')?.startsWith('https:') === true || forwarded === 'https';
}
