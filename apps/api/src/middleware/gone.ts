import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Calls `act` once, when the answer has ended or its client has gone. Of an answer that waits behind another one on the same
 * connection (RFC 9112 §9.3.2) Node.js never says that it was closed: so the connection is listened to as well.
 *
 * @returns what forgets it: `act` is not called any more.
 */
export function onceGone(req: IncomingMessage, res: ServerResponse, act: () => void): () => void {
  const { socket } = req;
  const forget = () => {
    res.off('close', gone);
    socket.off('close', gone);
  };
  const gone = () => {
    forget();
    act();
  };
  // As many as there may be streams, which are counted elsewhere.
  socket.setMaxListeners(0);
  res.once('close', gone);
  socket.once('close', gone);
  return forget;
}
