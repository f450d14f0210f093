import type { Provider } from '@belfry/channels/provider.js';
import {
  type Action,
  answer,
  drip,
  endless,
  halfClose,
  hang,
  http,
  reset,
  say,
  sayAndClose,
  type WireServer,
} from '../support/wire-server.js';
import { onWire, type Scene, turning } from './subject.js';

/** What a provider that speaks HTTP and reads the answer is told, and where. */
export interface HttpPlay {
  connect(server: Pick<WireServer, 'port'>, scheme?: string): Promise<Provider>;
  /** The status and the body of a yes. */
  readonly yes: readonly [status: number, body: string];
  /** Bodies that are none of the provider's, though the status says yes; each with its name. */
  readonly malformed: readonly (readonly [name: string, body: string])[];
}

const JSON_TYPE = { 'Content-Type': 'application/json' };

/** A scene in which the other end does `action` when it has the request. */
export const httpScene = (
  connect: HttpPlay['connect'],
  kind: Scene['kind'],
  name: string,
  expect: Scene['expect'][number],
  action: Action,
  options: { tls?: boolean } = {},
): Scene => ({
  name,
  kind,
  expect: [expect],
  open: () =>
    onWire(
      (turn) => http(() => turning(turn, action)),
      (server) => connect(server),
      options,
    ),
});

/** Every way in which an HTTP server can behave towards a provider that needs its answer whole. */
export function httpScenes({ connect, yes: [status, body], malformed }: HttpPlay): Scene[] {
  const head = `HTTP/1.1 ${status} Scripted\r\nContent-Type: application/json\r\n`;
  const scene = (kind: Scene['kind'], name: string, expect: Scene['expect'][number], action: Action) =>
    httpScene(connect, kind, name, expect, action);
  return [
    scene('taken', 'takes the message', 'sent', answer(status, body, JSON_TYPE)),
    scene('silent', 'never answers', 'ambiguous', hang),
    scene('silent', 'drips the head of its answer', 'ambiguous', drip(`${head}X-Slow: ${'x'.repeat(9999)}`)),
    scene('silent', 'drips the body of its answer', 'ambiguous', (socket) => {
      say(`${head}Content-Length: 9999\r\n\r\n`)(socket);
      drip(' '.repeat(9999))(socket);
    }),
    {
      ...scene('silent', 'drips the body of a refusal', 'rejected', (socket) => {
        say('HTTP/1.1 400 Bad Request\r\nContent-Length: 9999\r\n\r\n')(socket);
        drip(' '.repeat(9999))(socket);
      }),
      whenCalledOff: 'ambiguous',
    },
    ...brokenScenes(connect, 'ambiguous'),
    scene(
      'broken',
      'breaks off in its body',
      'ambiguous',
      sayAndClose(`${head}Content-Length: 999\r\n\r\n{"sid":`),
    ),
    scene('broken', 'answers without end', 'ambiguous', endless(`${head}\r\n`, ' '.repeat(10_000))),
    ...malformed.map(([name, text]) =>
      scene('broken', `answers ${status} with ${name}`, 'ambiguous', answer(status, text, JSON_TYPE)),
    ),
    ...awayScenes(connect, status, body),
  ];
}

/** The ways to break off before there is any status. */
export function brokenScenes(
  connect: HttpPlay['connect'],
  expect: Scene['expect'][number],
  options: { tls?: boolean } = {},
): Scene[] {
  const scene = (name: string, action: Action) => httpScene(connect, 'broken', name, expect, action, options);
  return [
    scene('drops the line when it has the request', reset),
    scene('half-closes when it has the request', halfClose),
    scene('says something that is not HTTP', say('220 mail here\r\n\r\n')),
  ];
}

/** The ways not to be reached at all. */
export function awayScenes(connect: HttpPlay['connect'], status: number, body: string): Scene[] {
  return [
    {
      name: 'shows a certificate of its own making',
      kind: 'broken',
      expect: ['retry'],
      open: () =>
        onWire(
          () => http(() => answer(status, body)),
          (server) => connect(server, 'https'),
          { tls: true },
        ),
    },
    {
      name: 'is not there',
      kind: 'broken',
      expect: ['retry'],
      open: async () => {
        const provider = await connect({ port: 1 });
        return { provider, reached: Promise.resolve(), quiet: async () => {}, close: () => provider.close() };
      },
    },
  ];
}

/**
 * What a receiver does whose status says all: nobody waits for its body. `head` is the beginning of its yes, and `scene`
 * makes a scene with it.
 */
export function statusScenes(
  scene: (kind: Scene['kind'], name: string, expect: Scene['expect'][number], action: Action) => Scene,
  head: string,
): Scene[] {
  return [
    scene('taken', 'drips the body of its answer', 'sent', (socket) => {
      say(`${head}Content-Length: 9999\r\n\r\n`)(socket);
      drip(' '.repeat(9999))(socket);
    }),
    scene('taken', 'answers without end', 'sent', endless(`${head}\r\n`, ' '.repeat(10_000))),
    scene('taken', 'breaks off in its body', 'sent', sayAndClose(`${head}Content-Length: 999\r\n\r\nth`)),
    scene('silent', 'never answers', 'ambiguous', hang),
    scene('silent', 'drips the head of its answer', 'ambiguous', drip(`${head}X-Slow: ${'x'.repeat(9999)}`)),
    scene('broken', 'drips the body of a refusal', 'rejected', (socket) => {
      say('HTTP/1.1 400 Bad Request\r\nContent-Length: 9999\r\n\r\n')(socket);
      drip(' '.repeat(9999))(socket);
    }),
    scene('broken', 'has a head without end', 'ambiguous', endless(head, `X-Long: ${'x'.repeat(1_000)}\r\n`)),
  ];
}
