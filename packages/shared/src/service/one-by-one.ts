/** What one turn is about; it says so as soon as it knows. */
export interface Turn {
  id?: string;
}

/**
 * Takes one after the other until there is none left. One that fails keeps no other from being taken: it is left out of the
 * turns that follow.
 *
 * @param most turns at most, so that an end is in sight.
 * @param takeNext takes the next one that is not in `except`; says whether there was one, and writes into `turn` which.
 * @throws the first error, when all others have had their turn.
 */
export async function oneByOne(
  most: number,
  takeNext: (except: readonly string[], turn: Turn) => Promise<boolean>,
): Promise<void> {
  const failed: string[] = [];
  const errors: unknown[] = [];
  for (let taken = 0; taken < most; taken += 1) {
    const turn: Turn = {};
    try {
      if (!(await takeNext(failed, turn))) break;
    } catch (error) {
      errors.push(error);
      // What failed before there was one to fail for fails for all.
      if (turn.id === undefined) break;
      failed.push(turn.id);
    }
  }
  if (errors.length > 0) throw errors[0];
}
