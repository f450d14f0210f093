import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Calls of one connection that have not been answered, at once. Hardly any client sends a second before the first is answered. */
const MOST_UNANSWERED = 50;

/**
 * Serves a connection that sends calls before it was answered (RFC 9112 §9.3.2) so many of them at once, and cuts it at the next one:
 * answers wait for those before them, in memory, and fifteen hundred calls fit into what is read in one go.
 */
export function boundPipelines(serve: RequestListener, most = MOST_UNANSWERED): RequestListener {
  const unanswered = new WeakMap<Socket, number>();
  return (req: IncomingMessage, res: ServerResponse & { req: IncomingMessage }) => {
    const { socket } = req;
    // What was read together with the call that was too much.
    if (socket.destroyed) return;
    const waiting = unanswered.get(socket) ?? 0;
    if (waiting >= most) return void socket.destroy();
    unanswered.set(socket, waiting + 1);
    res.once('close', () => unanswered.set(socket, (unanswered.get(socket) ?? 1) - 1));
    serve(req, res);
  };
}
