/** Where the operator reads mail, and how often. */
export interface OperatorMail {
  readonly to: string;
  /** One mail of a kind in so many milliseconds at most. */
  readonly everyMs: number;
}
