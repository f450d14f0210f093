import { connect } from 'node:net';

/** What came back on a connection: the status of the first answer (0 for none) and everything that was said. */
export type RawAnswer = { readonly status: number; readonly text: string };

/**
 * Says these pieces to the server, as they are, and listens until it closes the line or has been silent for `quietMs`
 * (1 s). For what `fetch` refuses to send.
 */
export function speak(
  url: string,
  pieces: readonly (string | Uint8Array)[],
  { quietMs = 1_000, limitMs = 20_000 } = {},
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(Number(port), hostname);
    const limit = setTimeout(() => socket.destroy(), limitMs);
    socket.on('data', (data) => {
      text += data.toString('latin1');
      socket.setTimeout(quietMs, () => socket.destroy());
    });
    // a server that has refused may cut the line while it is still being spoken to
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(limit);
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text });
    });
    for (const piece of pieces) socket.write(piece);
  });
}
