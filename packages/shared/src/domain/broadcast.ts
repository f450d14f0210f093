/** Where a broadcast is: waiting for its time, being told person by person, held, called off, or told to everybody. */
export const BROADCAST_STATUSES = ['scheduled', 'running', 'paused', 'cancelled', 'completed'] as const;
export type BroadcastStatus = (typeof BROADCAST_STATUSES)[number];
