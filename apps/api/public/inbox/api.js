/* The calls that this page makes. */

/** As many as an inbox keeps: the page has all of it, and so the count is that of what it shows. */
const WHOLE = 100;
const PATIENCE_MS = 10_000;

/** Why a call was not answered with what was asked: the status, 0 when nobody answered, the API's code and a sentence. */
class Refused extends Error {
  constructor(status, detail, code) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

/** The inbox of one person, over HTTP. Every call throws `Refused`. */
export function inboxOf(person, token) {
  const base = `/api/v1/users/${encodeURIComponent(person)}/inbox`;

  async function ask(method, path) {
    const answer = await fetch(base + path, {
      method,
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(PATIENCE_MS),
    }).catch(() => {
      throw new Refused(0, 'The server does not answer.');
    });
    const body = await answer.json().catch(() => ({}));
    const { detail = `The server answered ${answer.status}.`, code } = body;
    if (!answer.ok) throw new Refused(answer.status, detail, code);
    return body;
  }

  return {
    list: () => ask('GET', `?limit=${WHOLE}`),
    read: (id) => ask('POST', `/${id}/read`),
    readAll: () => ask('POST', '/read-all'),
  };
}
