/** Something did not come about, for a reason that the reader can do something about. No stack is shown. Exit code 1. */
export class Failure extends Error {
  override readonly name: string = 'Failure';
  /** What to do, one sentence each. */
  readonly remedies: readonly string[];
  constructor(message: string, ...remedies: readonly string[]) {
    super(message);
    this.remedies = remedies;
  }
}

/** The command was not understood. Exit code 2. */
export class UsageError extends Failure {
  override readonly name = 'UsageError';
}
