import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../failure.js';
import type { Access } from './access.js';
import { refusalOf, unanswered } from './refused.js';

/** An upload during which nothing moves for so long is given up. */
const IDLE_MS = 60_000;
/** More of a refusal than this is not read. */
const MOST_OF_A_REFUSAL = 64 * 1024;

/**
 * Sends a body of any length as it is read, and gives the lines of the answer while it still sends: fetch would wait for
 * the end of the body. Only what is on its way is in memory.
 */
export async function* upload(
  access: Access,
  path: string,
  body: Readable,
  stopped: AbortSignal,
): AsyncGenerator<unknown> {
  const url = new URL(`${access.url}/api/v1${path}`);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const request = send(url, {
    method: 'POST',
    signal: stopped,
    timeout: IDLE_MS,
    headers: {
      accept: 'application/x-ndjson',
      'content-type': 'application/x-ndjson',
      authorization: `Bearer ${access.token}`,
    },
  });
  request.once('timeout', () => request.destroy(new DOMException('nothing moved', 'TimeoutError')));
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', reject);
  });
  // A server that refuses early closes its end while the body is still being written: its answer says more than that.
  const sent = pipeline(body, request).then(
    () => undefined,
    (error: unknown) => error,
  );
  try {
    const response = await answered;
    if ((response.statusCode ?? 0) >= 300) throw await refusal(access, response);
    for await (const line of createInterface({ input: response, crlfDelay: Infinity })) {
      if (line.trim() !== '') yield parsed(access, line);
    }
    const broken = await sent;
    if (broken !== undefined) throw broken;
  } catch (error) {
    // A file that cannot be read says so itself, and ends the connection; everything else is about the connection.
    if (body.errored instanceof Failure) throw body.errored;
    throw error instanceof Failure ? error : unanswered(access, error, IDLE_MS, AGAIN);
  } finally {
    request.destroy();
    body.destroy();
  }
}

const AGAIN =
  'What was taken before it broke off stays; importing the same file again changes nothing twice.';

async function refusal(access: Access, response: IncomingMessage): Promise<Failure> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > MOST_OF_A_REFUSAL) break;
  }
  const { headers } = response;
  return refusalOf(
    access,
    response.statusCode ?? 0,
    { get: (name) => (headers[name] === undefined ? null : String(headers[name])) },
    text,
  );
}

function parsed({ url }: Access, line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new Failure(`${url} answers, but not as Belfry does.`, 'Set BELFRY_URL to where Belfry runs.');
  }
}
