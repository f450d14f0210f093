/**
 * The places of people whom the ledger does not know. It cannot count those, so each process counts its own, from the moment
 * in which a place is given: many that are asked for at once are as many as may be, too.
 */
export class Strangers {
  readonly #places = new Map<string, Set<string>>();
  readonly #most: number;

  /** @param most places of one person at once. */
  constructor(most: number) {
    this.#most = most;
  }

  /** False when the person has as many as they may have. */
  add(personId: string, placeId: string): boolean {
    const places = this.#places.get(personId) ?? new Set();
    if (places.size >= this.#most) return false;
    this.#places.set(personId, places.add(placeId));
    return true;
  }

  /** Gives a place back, if it was one of these. */
  remove(personId: string, placeId: string): void {
    const places = this.#places.get(personId);
    places?.delete(placeId);
    if (places?.size === 0) this.#places.delete(personId);
  }
}
