import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { type Books, openBooks } from './books.js';
import { answerError, answerNotFound, controlRoutes } from './control.js';
import { fcmRoutes } from './fcm.js';
import { FcmAccount } from './fcm-account.js';
import { type Listener, within } from './listener.js';
import { pageRoutes } from './page.js';
import { pushControlRoutes } from './push-control.js';
import { createPushService, type PushService } from './push-service.js';
import { SES_ROOT, sesRoutes } from './ses.js';
import { startSmtp } from './smtp.js';
import { twilioRoutes } from './twilio.js';
import { type SmsWebhook, twilioInboundRoutes } from './twilio-inbound.js';
import { TWILIO_ROOT } from './twilio-json.js';
import { WEBHOOK_ROOT, webhookRoutes } from './webhook.js';

const STOP_MS = 2_000;

export interface SandboxOptions {
  /** The address to listen on. There is no access control, so not one that strangers reach. */
  readonly host: string;
  /** 0 takes a free port; likewise below. */
  readonly httpPort: number;
  readonly smtpPort: number;
  /** Where the push service listens. Without it, on a free port as soon as there is a subscription. */
  readonly pushPort?: number;
  /** Where keys, the certificate and the subscriptions are kept over a restart. Without it all begin anew each time. */
  readonly folder?: string | undefined;
  /** The VAPID key of those who send here, if it is known: what a browser subscribes with (`PushManager.subscribe`). */
  readonly vapidPublicKey?: string | undefined;
  /** Where answers by text message are handed over. */
  readonly smsWebhook?: SmsWebhook;
}

/** A running sandbox. */
export interface Sandbox {
  /** The page, the control API and every HTTP provider. */
  readonly httpUrl: string;
  readonly smtpUrl: string;
  readonly httpPort: number;
  readonly smtpPort: number;
  /** The certificate of the push service, as PEM; null while that does not listen. */
  readonly certificate: string | null;
  /** Cuts every connection, hung ones too, and returns within seconds. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts the providers' stand-in: an SMTP server, APIs of the shape of SES, Twilio and FCM, a push service, a receiver of
 * webhooks, the control API and the page.
 * Rejects when a port is taken; nothing is left listening then.
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { host, httpPort, smtpPort, pushPort, folder, vapidPublicKey } = options;
  const name = nameOf(host);
  const books = openBooks();
  const smtp = await startSmtp(books, host, smtpPort);
  const push = await createPushService(books, { host, name, port: pushPort ?? 0, folder });
  const account = new FcmAccount(folder);
  let certificate: string | null = null;
  const parts = { books, push, account, vapidPublicKey, smsWebhook: options.smsWebhook };
  const http = await startHttp(parts, host, httpPort)
    .then(async (listener) => {
      if (pushPort === undefined) return listener;
      certificate = await push.open().then(
        (opened) => opened.certificate,
        async (error: unknown) => {
          await listener.stop();
          throw error;
        },
      );
      return listener;
    })
    .catch(async (error: unknown) => {
      await smtp.stop();
      throw error;
    });
  let stopping: Promise<unknown> | undefined;
  return {
    httpUrl: `http://${name}:${http.port}`,
    smtpUrl: `smtp://${name}:${smtp.port}`,
    httpPort: http.port,
    smtpPort: smtp.port,
    certificate,
    stop: () => {
      stopping ??= Promise.all([http.stop(), smtp.stop(), push.stop()]);
      return stopping.then(() => undefined);
    },
  };
}

interface HttpParts {
  readonly books: Books;
  readonly push: PushService;
  readonly account: FcmAccount;
  readonly vapidPublicKey: string | undefined;
  readonly smsWebhook: SmsWebhook | undefined;
}

async function startHttp(
  { books, push, account, vapidPublicKey, smsWebhook }: HttpParts,
  host: string,
  port: number,
): Promise<Listener> {
  // A big run has one listener for each open page, and that is no leak.
  books.recorder.setMaxListeners(0);
  books.faults.setMaxListeners(0);
  const app = express().disable('x-powered-by').disable('etag');
  app.use(TWILIO_ROOT, twilioRoutes(books));
  app.use(SES_ROOT, sesRoutes(books));
  app.use(WEBHOOK_ROOT, webhookRoutes(books));
  app.use(fcmRoutes(books, account));
  app.use(pushControlRoutes(push, vapidPublicKey));
  app.use(twilioInboundRoutes(books, smsWebhook));
  app.use(pageRoutes(books.recorder));
  app.use(controlRoutes(books));
  app.use(answerNotFound);
  app.use(answerError);

  const server = createServer(app);
  // Whoever keeps a connection is not to find it closed in the moment of the next call.
  server.keepAliveTimeout = 75_000;
  server.listen(port, host);
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, stop };

  async function stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    server.closeAllConnections();
    await within(STOP_MS, closed);
  }
}

/** The host as it stands in a URL; who listens on every address is reached on this machine. */
function nameOf(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
