/** Why a delivery was given up: the classes in which operators look at dead letters. */
export const FAILURE_CLASSES = [
  /** The provider refused it for good: no such mailbox, a number that opted out. */
  'rejected',
  /** Every try of its last round failed in a way that another day might not. */
  'exhausted',
  /** The last try may have been taken, and nobody could find out. */
  'uncertain',
  /** The settings of its provider were wrong for longer than a message is held. */
  'misconfigured',
  /** Its provider asked to go slower for longer than a message is held. */
  'throttled',
  /** Its text could not be made: a template that fails with this context. */
  'unrenderable',
  /** It was in the hands of too many workers that died: it is taken to be what kills them. */
  'poison',
] as const;
export type FailureClass = (typeof FAILURE_CLASSES)[number];
