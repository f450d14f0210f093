import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import express from 'express';
import type { Books } from './books.js';
import { ownCertificate } from './certificate.js';
import { answerError, answerNotFound } from './control.js';
import { openSubscriptions } from './kept-subscriptions.js';
import { within } from './listener.js';
import type { PushSubscriptions } from './push-subscriptions.js';
import { webpushRoutes } from './webpush.js';

const STOP_MS = 2_000;

/** The push service of the sandbox's browsers. Senders take no push service without TLS, so it has a port of its own. */
export interface PushService {
  readonly subscriptions: PushSubscriptions;
  /** Resolves when the subscriptions are where they are kept. */
  save(): Promise<void>;
  /** Listens, unless it does. */
  open(): Promise<{ readonly url: string; readonly certificate: string }>;
  stop(): Promise<void>;
}

export interface PushServiceOptions {
  readonly host: string;
  /** How the host is called in a URL. */
  readonly name: string;
  readonly port: number;
  /** Where the certificate, the keys and the subscriptions are kept; without it all begin anew at each start. */
  readonly folder: string | undefined;
}

export async function createPushService(
  books: Books,
  { host, name, port, folder }: PushServiceOptions,
): Promise<PushService> {
  const { subscriptions, save } = await openSubscriptions(folder);
  let server: Server | undefined;
  let opening: Promise<{ url: string; certificate: string }> | undefined;

  async function listen() {
    const own = await ownCertificate(folder === undefined ? undefined : path.resolve(folder));
    let url = '';
    const app = express().disable('x-powered-by').disable('etag');
    app.use(webpushRoutes(books, subscriptions, () => url));
    app.use(answerNotFound);
    app.use(answerError);
    server = createServer({ key: own.key, cert: own.certificate }, app);
    server.listen(port, host);
    await once(server, 'listening');
    url = `https://${name}:${(server.address() as AddressInfo).port}`;
    return { url, certificate: own.certificate };
  }

  return {
    subscriptions,
    save,
    open() {
      opening ??= listen();
      return opening;
    },
    async stop() {
      await opening?.catch(() => undefined);
      if (server === undefined) return;
      const closed = once(server, 'close').then(() => undefined);
      server.close();
      server.closeAllConnections();
      await within(STOP_MS, closed);
    },
  };
}
