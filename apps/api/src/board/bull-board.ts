import { isId } from '@belfry/shared/domain/ids.js';
import { deliveryJob } from '@belfry/shared/queue/jobs.js';
import type { QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import { DELIVERY_QUEUES, QUEUES } from '@belfry/shared/queue/topology.js';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { RequestHandler } from 'express';
import { visitorOf } from './visitor.js';

type Queue = ReturnType<QueueEngine['queue']>;

interface Boards {
  readonly queues: readonly Queue[];
  readonly admin: RequestHandler;
  readonly viewer: RequestHandler;
}

/**
 * Bull Board over the engine's queues as they are now: with its buttons for an admin, without them for a viewer. It is
 * made when it is first asked for, since there may be no schema to open a queue on before, and again when a queue had to
 * be opened anew.
 *
 * @param base where it is mounted.
 */
export function currentBoard(engine: QueueEngine, base: string): RequestHandler {
  let boards: Boards | undefined;
  return (req, res, next) => {
    const queues = QUEUES.map((name) => engine.queue(name));
    if (boards === undefined || queues.some((queue, index) => queue !== boards?.queues[index])) {
      boards = { queues, admin: boardOf(queues, base, false), viewer: boardOf(queues, base, true) };
    }
    boards[visitorOf(req).role](req, res, next);
  };
}

function boardOf(queues: readonly Queue[], base: string, readOnlyMode: boolean): RequestHandler {
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath(base);
  // Its types forget the last of them, which its code knows: what went out is not sent again from here.
  const options = {
    delimiter: '.',
    readOnlyMode,
    externalJobUrl: notificationOf,
    allowCompletedRetries: false,
  };
  createBullBoard({
    // A broadcast is paused and called off as a whole, and an escalation ends with an acknowledgement: their jobs are only there
    // to be seen.
    queues: queues.map(
      (queue) =>
        new BullMQAdapter(queue, isOfDeliveries(queue) ? options : { ...options, readOnlyMode: true }),
    ),
    serverAdapter,
    options: {
      uiConfig: {
        boardTitle: 'Belfry',
        boardLogo: { path: `${base}/sign-in/bell.svg`, width: 24, height: 24 },
        favIcon: { default: `${base}/sign-in/bell.svg`, alternative: `${base}/sign-in/bell.svg` },
        miscLinks: [
          { text: 'Console', url: '/' },
          { text: 'Sign out', url: `${base}/sign-out` },
        ],
        hideDocsLink: true,
        overview: { groupByDelimiter: true },
        // Their names would be asked for with every look at the board, one query a queue.
        showWorkers: false,
      },
    },
  });
  const app = serverAdapter.getRouter();
  tighten(app, base);
  return app;
}

function isOfDeliveries({ name }: Queue): boolean {
  return DELIVERY_QUEUES.some((one) => one === name);
}

/** From a job to its notification in the console. */
function notificationOf(job: { data?: unknown }) {
  const id = deliveryJob.safeParse(job.data).data?.notification_id ?? '';
  return isId(id) ? { displayText: 'Notification', href: `/?notification=${id}` } : { href: '/' };
}

type Render = (file: string, options: object, done: (error: unknown, html?: string) => void) => void;

/**
 * Bull Board's page brings styles of its own inside of it and a font from another site, which our content security policy
 * forbids. They are left out, and a file of ours hides the buttons that Belfry refuses.
 */
function tighten(
  app: { engines: Record<string, Render>; engine(name: string, render: Render): unknown },
  base: string,
): void {
  const render = app.engines['.ejs'];
  if (render === undefined) throw new Error('Bull Board renders its page in another way than before.');
  app.engine('ejs', (file, options, done) =>
    render(file, options, (error, html) => done(error, html === undefined ? html : tightened(html, base))),
  );
}

function tightened(html: string, base: string): string {
  return html
    .replace(/<link href="https?:[^>]*>/g, '')
    .replace(/<style>[\s\S]*?<\/style>/g, '')
    .replace(/ style="[^"]*"/g, '')
    .replace('</head>', `<link href="${base}/sign-in/board.css" rel="stylesheet"></head>`);
}
