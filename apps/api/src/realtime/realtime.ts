import type { Server } from 'node:http';
import type { QueueEngine } from '@belfry/shared/queue/queue-engine.js';
import {
  type OpenRealtimeBus,
  openRealtimeBus,
  type RealtimeBus,
} from '@belfry/shared/queue/realtime-bus.js';
import type { Logger } from '@belfry/shared/service/log.js';
import type { RequestHandler } from 'express';
import type { Limits } from '../middleware/limits.js';
import { type AdmissionParts, createAdmission } from './admission.js';
import { createClientMessages } from './client-message.js';
import { eventStream } from './event-stream.js';
import { createStreams, type StreamsParts } from './streams.js';
import { acceptUpgrades } from './upgrade.js';
import { createWebSockets } from './websocket.js';

/** Where a WebSocket is asked for. */
export const WEBSOCKET_PATH = '/ws';

/** Everything that people who are connected here are served by. */
export interface Realtime {
  /** Tells this process and all others to look. */
  readonly bus: RealtimeBus;
  /** Answers with a stream of events. It checks the token itself. */
  readonly eventStream: RequestHandler;
  /** Lets a server take WebSockets. */
  acceptOn(server: Server): void;
  /** Joins the other processes. The schema must be there. */
  start(): void;
  /** Ends every stream; its client comes back to another process. */
  stop(): Promise<void>;
}

export interface RealtimeParts extends AdmissionParts, StreamsParts {
  readonly limits: Limits;
  readonly engine: QueueEngine;
  readonly log: Logger;
}

export function createRealtime(parts: RealtimeParts): Realtime {
  const { settings, database, engine, limits, events, log } = parts;
  const admission = createAdmission(parts);
  const streams = createStreams(parts);
  let others: OpenRealtimeBus | undefined;

  const look = (personIds: readonly string[]) => {
    streams.look(personIds);
    others?.look(personIds);
  };
  const hear = createClientMessages({ database, limits, events, look });
  const webSocket = createWebSockets({ streams, admission, hear, log });

  return {
    bus: { look },
    eventStream: eventStream({ streams, admission, origins: settings.REALTIME_ORIGINS }),
    acceptOn: (server) => acceptUpgrades(server, WEBSOCKET_PATH, webSocket, log),
    start() {
      others = openRealtimeBus({
        engine,
        hear: streams.lookAtMarked,
        onError: (error) => events.connectionFailed({ part: 'realtime bus', error }),
      });
    },
    async stop() {
      await streams.stop();
      await others?.stop();
    },
  };
}
