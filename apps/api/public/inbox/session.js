/* One person's inbox, kept up to date: the list from the API, and what is new from the stream. */

import { inboxOf } from './api.js';
import { keepLive } from './live.js';
import { createNotes } from './notes.js';

const TRY_AGAIN_MS = 5_000;
/** Answers after which it makes no sense to go on: the token is not good, or not of somebody who is here. */
const FOR_GOOD = [401, 403, 404];

/**
 * Opens the inbox of the person of a token.
 *
 * @param onChange called when something is to be drawn anew.
 * @param onNew called with each note that comes while one looks.
 * @param onState called with how things stand with the stream, as `keepLive` says it.
 * @param onEnd called with a sentence when this is over.
 */
export function openSession({ person, token, onChange, onNew, onState, onEnd }) {
  const api = inboxOf(person, token);
  const notes = createNotes();
  let live;
  let loaded = false;
  let stopped = false;
  let loading = false;
  let stale = false;
  let later;

  /** Asks for the whole list; once at a time, and again when somebody wanted it meanwhile. */
  async function load() {
    if (loading) {
      stale = true;
      return;
    }
    loading = true;
    stale = false;
    clearTimeout(later);
    const known = notes.ids();
    const done = await attempt(async () => notes.replace(await api.list(), known));
    loading = false;
    if (stopped) return;
    if (!done) later = setTimeout(load, TRY_AGAIN_MS);
    else if (stale) void load();
    loaded ||= done;
    onChange();
  }

  /** Does something. What is refused for good ends the session; false for all else that went wrong. */
  async function attempt(act) {
    try {
      await act();
      return true;
    } catch (error) {
      if (error.status === undefined) throw error;
      // A note that a hundred later ones have pushed out.
      if (error.code === 'unknown_item') void load();
      else if (error.code === 'unknown_person')
        end(`This token is for '${person}', who is not a person here.`);
      else if (FOR_GOOD.includes(error.status)) end(error.message);
      return false;
    }
  }

  /** Tells the server first: what is shown as read is read. False when it could not be told. */
  async function change(ask, apply) {
    if (!(await attempt(ask))) return stopped;
    apply();
    onChange();
    return true;
  }

  function take(event) {
    if (event.type === 'read') notes.read(event.id);
    else if (event.type === 'unread_count') return event.count === notes.unread() ? undefined : load();
    else if (event.type === 'resync') return load();
    else if (event.data?.id === undefined) return;
    else if (notes.arrive({ ...event.data, fresh: loaded }) && loaded && !event.data.read) onNew(event.data);
    onChange();
  }

  function streamState(state, until) {
    onState(state, until);
    // What was read elsewhere meanwhile is in the list alone. While nothing streams, the list still tells what is new.
    if (state !== 'connecting') void load();
  }

  function stop() {
    stopped = true;
    clearTimeout(later);
    live?.stop();
  }

  function end(reason) {
    if (stopped) return;
    stop();
    onEnd(reason);
  }

  async function begin() {
    onState('connecting');
    // What is there already rings no bell, and the stream goes on from it.
    await load();
    if (stopped) return;
    live = keepLive({ token, since: notes.newest, onEvent: take, onState: streamState, onEnd: end });
  }

  void begin();
  return {
    notes,
    isLoaded: () => loaded,
    read: (id) =>
      change(
        () => api.read(id),
        () => notes.read(id),
      ),
    readAll: () => change(api.readAll, notes.readAll),
    hurry: () => live?.hurry(),
    stop,
  };
}
