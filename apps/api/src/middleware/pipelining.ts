import type { Socket } from 'node:net';
import type { RequestHandler } from 'express';

/** Calls of one connection that have not been answered, at once. Hardly any client sends a second before the first is answered. */
const MOST_UNANSWERED = 50;

/**
 * Serves a connection that sends calls before it was answered (RFC 9112 §9.3.2) so many of them at once, and cuts it at the next one:
 * answers wait for those before them, in memory, and fifteen hundred calls fit into what is read in one go.
 */
export function boundPipelines(most = MOST_UNANSWERED): RequestHandler {
  const unanswered = new WeakMap<Socket, number>();
  return ({ socket }, res, next) => {
    // What was read together with the call that was too much.
    if (socket.destroyed) return;
    const waiting = unanswered.get(socket) ?? 0;
    if (waiting >= most) return void socket.destroy();
    unanswered.set(socket, waiting + 1);
    res.once('close', () => unanswered.set(socket, (unanswered.get(socket) ?? 1) - 1));
    next();
  };
}
