/* What this page knows of an inbox: the newest first, and no more than the inbox keeps. */

const MOST = 100;

/**
 * The notes of a person. They come from two sides, the list and the stream, in any order and more than once; a note is here
 * once, and one that was read is never unread again.
 */
export function createNotes() {
  let notes = [];

  const find = (id) => notes.find((note) => note.id === id);
  const joined = (note) => ({ ...note, read: note.read || find(note.id)?.read === true });

  return {
    all: () => notes,
    ids: () => new Set(notes.map(({ id }) => id)),
    find,
    unread: () => notes.filter((note) => !note.read).length,
    /** The last one that came, from which a stream goes on; null when there is none. */
    newest: () => notes[0]?.id ?? null,

    /** Takes the list for what is there. @param asked the ids that were known when it was asked for: newer ones stay. */
    replace(list, asked) {
      const listed = new Set(list.map(({ id }) => id));
      const newer = notes.filter(({ id }) => !asked.has(id) && !listed.has(id));
      notes = [...newer, ...list.map(joined)].slice(0, MOST);
    },

    /** Takes one from the stream. True when it is new. */
    arrive(note) {
      if (find(note.id) !== undefined) {
        notes = notes.map((one) => (one.id === note.id ? joined(note) : one));
        return false;
      }
      notes = [note, ...notes].slice(0, MOST);
      return true;
    },

    read(id) {
      notes = notes.map((note) => (note.id === id ? { ...note, read: true } : note));
    },

    readAll() {
      notes = notes.map((note) => ({ ...note, read: true }));
    },
  };
}
