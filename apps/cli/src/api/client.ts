import { withDeadline } from '@belfry/shared/service/deadline.js';
import { Failure } from '../failure.js';
import type { Access } from './access.js';
import { refusalOf, unanswered } from './refused.js';

/** What follows the `?`; what is undefined is left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface CallOptions {
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** What to say when no answer came and it may have been done all the same. */
  readonly inDoubt?: string;
}

/** The API, as far as the commands ask it. Everything it cannot answer is a `Failure` that says what to do. */
export interface Client {
  readonly access: Access;
  /** Calls a path below `/api/v1` and returns the JSON it answers with; undefined where the answer is empty. */
  call<Body>(method: string, path: string, options?: CallOptions): Promise<Body>;
  /** The text that the API draws by itself. */
  text(path: string): Promise<string>;
  /** Every element of a list, page after page, as the API links them (RFC 8288). */
  pages<Item>(path: string, query: Query): AsyncGenerator<Item>;
}

const TIMEOUT_MS = 15_000;
/** More than an answer of the API ever has; another server could send without an end. */
const MOST_BYTES = 64 * 1024 * 1024;

/** `stopped` calls off whatever is under way. */
export function createClient(access: Access, stopped: AbortSignal): Client {
  async function ask(method: string, path: string, options: CallOptions, accept = 'application/json') {
    const url = `${access.url}/api/v1${path}${searchOf(options.query)}`;
    const deadline = withDeadline(stopped, TIMEOUT_MS);
    try {
      const response = await fetch(url, {
        method,
        redirect: 'manual',
        signal: deadline.signal,
        headers: {
          accept,
          authorization: `Bearer ${access.token}`,
          ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...options.headers,
        },
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      });
      return { response, text: await readText(response) };
    } catch (error) {
      throw error instanceof Failure ? error : unanswered(access, error, TIMEOUT_MS, options.inDoubt);
    } finally {
      deadline.release();
    }
  }

  async function askWell(method: string, path: string, options: CallOptions, accept?: string) {
    const { response, text } = await ask(method, path, options, accept);
    if (!response.ok) throw refusalOf(access, response.status, response.headers, text);
    return { response, text };
  }

  return {
    access,
    async call<Body>(method: string, path: string, options: CallOptions = {}) {
      const { text } = await askWell(method, path, options);
      return parsed<Body>(access, text);
    },
    async text(path) {
      return (await askWell('GET', path, {}, 'text/plain')).text;
    },
    async *pages<Item>(path: string, query: Query) {
      for (let next: Query | undefined = query; next !== undefined; ) {
        const { response, text } = await askWell('GET', path, { query: next });
        const items: unknown = parsed(access, text);
        if (!Array.isArray(items)) throw notBelfry(access);
        yield* items as Item[];
        const cursor = cursorIn(response.headers.get('link'));
        next = cursor === undefined ? undefined : { ...query, cursor };
      }
    },
  };
}

/** Only the cursor is taken from the link: the token goes nowhere but where it was meant for. */
function cursorIn(link: string | null): string | undefined {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/.exec(link ?? '')?.[1];
  if (target === undefined) return undefined;
  return URL.parse(target, 'http://localhost')?.searchParams.get('cursor') ?? undefined;
}

function searchOf(query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  return search.size === 0 ? '' : `?${search}`;
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Failure('The answer is larger than any that Belfry gives.');
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** `Body` is the API's promise about its answer. */
function parsed<Body>(access: Access, text: string): Body {
  if (text === '') return undefined as Body;
  try {
    return JSON.parse(text) as Body;
  } catch {
    throw notBelfry(access);
  }
}

function notBelfry({ url }: Access): Failure {
  return new Failure(`${url} answers, but not as Belfry does.`, 'Set BELFRY_URL to where Belfry runs.');
}
