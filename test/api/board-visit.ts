import { hashPassword } from '@belfry/shared/domain/password.js';
import { type Answer, ask } from '../support/http.js';

export const BOARD = '/admin/queues';

/** Signs in as the page does. `url` is the API's. */
export function signIn(
  url: string,
  password: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return ask('POST', `${url}${BOARD}/sign-in`, { password }, { origin: url, ...headers });
}

/** The cookie that an answer sets, as a browser sends it back; empty when it sets none. */
export function cookieOf(answer: Answer): string {
  return answer.headers.get('set-cookie')?.split(';')[0] ?? '';
}

/** Presses a button of the board: a changing request from its own page. `path` is below `/admin/queues/api/queues`. */
export function press(
  url: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  method = 'PUT',
  body?: unknown,
): Promise<Answer> {
  return ask(method, `${url}${BOARD}/api/queues/${path}`, body, { origin: url, ...headers });
}

/** A hash that costs as little as the settings take, so that a busy machine is not kept busy with it. */
export function quickHash(password: string): Promise<string> {
  return hashPassword(password, { ln: 14, r: 8, p: 1 });
}
