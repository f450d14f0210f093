import { Refusal } from '@belfry/shared/domain/refusal.js';
import { type RequestHandler, Router } from 'express';
import { WEBSOCKET_PATH } from '../realtime/realtime.js';

/** The streams. They check tokens by themselves, for browsers can send a token in few places. */
export function realtimeRoutes(eventStream: RequestHandler): Router {
  const router = Router({ caseSensitive: true });
  router.get('/api/v1/stream', eventStream);
  router.get(WEBSOCKET_PATH, () => {
    throw noWebSocket();
  });
  return router;
}

/** An ordinary call where a WebSocket is. */
export function noWebSocket(): Refusal {
  return new Refusal('upgrade_required', 'There is a WebSocket here: send a handshake (RFC 6455).');
}
