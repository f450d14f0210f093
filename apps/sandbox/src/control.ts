import { json, type NextFunction, type Request, type Response, Router } from 'express';
import { z } from 'zod';
import type { Books } from './books.js';
import { faultRuleSchema } from './fault-rule.js';
import { SANDBOX_CHANNELS } from './message.js';
import { streamEvents } from './stream.js';
import { summaryOf } from './summary.js';

const MOST_MESSAGES = 50_000;
const MOST_RULES = 1_000;

const filterSchema = z.strictObject({
  channel: z.enum(SANDBOX_CHANNELS).optional(),
  to: z.string().optional(),
  delivery: z.string().optional(),
  /** The same as `to` and `delivery`, by the names that the API has for them. */
  recipient: z.string().optional(),
  delivery_id: z.string().optional(),
  after: z.coerce.number().int().nonnegative().optional(),
  limit: z.coerce.number().int().min(1).max(MOST_MESSAGES).default(1_000),
  /** `no`: summaries, as the page's lists need them. */
  bodies: z.enum(['yes', 'no']).default('yes'),
});
const rulesSchema = z.array(faultRuleSchema).max(MOST_RULES);

/** The sandbox's own API: what arrived, what was tried, and how to misbehave. Wrong input is answered with 422. */
export function controlRoutes(books: Books): Router {
  const { recorder, faults, calls } = books;
  const routes = Router();
  const body = json({ limit: '1mb' });

  routes.get('/messages', (req, res) => {
    const { bodies, recipient, delivery_id, ...filter } = filterSchema.parse(req.query);
    const { to = recipient, delivery = delivery_id } = filter;
    const messages = recorder.find({ ...filter, to, delivery });
    res.json(bodies === 'yes' ? messages : messages.map(summaryOf));
  });
  routes.delete('/messages', (_req, res) => {
    recorder.clear();
    calls.clear();
    res.status(204).end();
  });
  routes.get('/messages/stats', (_req, res) => void res.json(recorder.stats()));
  routes.get('/messages/stream', (req, res) => streamEvents(books, req, res));
  routes.get('/messages/:id', (req, res, next) => {
    const message = recorder.get(Number(req.params.id));
    if (message === undefined) return next();
    res.json(message);
  });

  routes.get('/calls', (_req, res) => void res.json(calls.snapshot()));

  routes.get('/faults', (_req, res) => void res.json(faults.list()));
  routes.put('/faults', body, (req, res) => {
    faults.replace(rulesSchema.parse(req.body));
    res.json(faults.list());
  });
  routes.post('/faults', body, (req, res) => {
    faults.add(faultRuleSchema.parse(req.body));
    res.status(201).json(faults.list());
  });
  routes.delete('/faults', (_req, res) => {
    faults.replace([]);
    res.status(204).end();
  });
  routes.delete('/faults/:id', (req, res, next) => {
    if (!faults.remove(Number(req.params.id))) return next();
    res.status(204).end();
  });
  return routes;
}

/** The last resort of the sandbox's HTTP side: problem documents (RFC 9457). */
export function answerError(error: unknown, _req: Request, res: Response, _next: NextFunction): void {
  // What Express's body parsers report carries the status to answer with.
  const known = z.object({ status: z.int().min(400).max(499), message: z.string() }).safeParse(error);
  if (res.headersSent) res.destroy();
  else if (error instanceof z.ZodError) problem(res, 422, ...explained(error));
  else if (known.success) problem(res, known.data.status, known.data.message);
  else {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    problem(res, 500, 'The sandbox itself is at fault; its log says more.');
  }
}

/** For whatever no route knows. */
export function answerNotFound(req: Request, res: Response): void {
  problem(res, 404, `There is nothing at ${req.method} ${req.path}.`);
}

function problem(res: Response, status: number, detail: string, more: object = {}): void {
  res
    .status(status)
    .type('application/problem+json')
    .send(JSON.stringify({ status, detail, ...more }));
}

function explained({ issues }: z.ZodError): [detail: string, more: object] {
  const errors = issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  return [
    errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; '),
    { errors },
  ];
}
