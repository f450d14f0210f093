const MOST_IDS = 1_000_000;
const MOST_LISTED = 100;

/** How many ids came more than once. */
export interface Duplicates {
  /** Ids seen at least twice. */
  readonly ids: number;
  /** Arrivals beyond the first of each id. */
  readonly extra: number;
  /** The first hundred of those ids. */
  readonly examples: readonly string[];
  /** Ids forgotten to bound the memory; while 0, the numbers above are exact. */
  readonly forgotten: number;
}

/** Counts how often each id was seen. Exact for the last million distinct ids. */
export class Tally {
  #seen = new Map<string, number>();
  #examples: string[] = [];
  #ids = 0;
  #extra = 0;
  #forgotten = 0;

  /** Counts one more arrival of `id` and returns how many there have been. */
  add(id: string): number {
    const times = (this.#seen.get(id) ?? 0) + 1;
    this.#seen.set(id, times);
    if (times === 1) this.#forgetOldest();
    else this.#extra += 1;
    if (times === 2) {
      this.#ids += 1;
      if (this.#examples.length < MOST_LISTED) this.#examples.push(id);
    }
    return times;
  }

  duplicates(): Duplicates {
    return { ids: this.#ids, extra: this.#extra, examples: [...this.#examples], forgotten: this.#forgotten };
  }

  #forgetOldest(): void {
    if (this.#seen.size <= MOST_IDS) return;
    const oldest = this.#seen.keys().next();
    if (oldest.done) return;
    this.#seen.delete(oldest.value);
    this.#forgotten += 1;
  }
}
