import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { Request, RequestHandler } from 'express';
import type { Authenticator } from '../middleware/authenticate.js';
import { isBoardRole, type Sessions, type Visitor } from './session.js';

const visitors = new WeakMap<Request, Visitor>();

/**
 * Lets nobody pass but administrators and viewers: by the cookie of a sign-in, or by a token as `Authorization: Bearer`
 * or as the password of HTTP Basic, whose user name does not matter. Throws `unauthenticated` for everybody unknown.
 */
export function admit(sessions: Sessions, authenticator: Authenticator): RequestHandler {
  return async (req, _res, next) => {
    visitors.set(req, (await sessions.read(req.headers.cookie)) ?? (await byToken(req, authenticator)));
    next();
  };
}

/** Who is looking. Only behind `admit`. */
export function visitorOf(req: Request): Visitor {
  const visitor = visitors.get(req);
  if (visitor === undefined) throw new Error('A route of the board asked for its visitor outside of admit.');
  return visitor;
}

async function byToken(req: Request, authenticator: Authenticator): Promise<Visitor> {
  const [scheme = '', credentials = ''] = (req.get('Authorization') ?? '').split(' ');
  const { sub, role } = await authenticator(
    scheme.toLowerCase() === 'basic' ? passwordIn(credentials) : credentials,
  );
  if (!isBoardRole(role)) throw new Refusal('forbidden', 'Forbidden');
  return { sub, role };
}

function passwordIn(credentials: string): string {
  const pair = Buffer.from(credentials, 'base64').toString();
  return pair.slice(pair.indexOf(':') + 1);
}
