import type { Channel, Priority } from './channel.js';

/** Where a broadcast is: waiting for its time, being told person by person, held, called off, or told to everybody. */
export const BROADCAST_STATUSES = ['scheduled', 'running', 'paused', 'cancelled', 'completed'] as const;
export type BroadcastStatus = (typeof BROADCAST_STATUSES)[number];

export const BROADCAST_MOVES = ['pause', 'resume', 'cancel'] as const;
/** What can be done to a broadcast by hand. */
export type BroadcastMove = (typeof BROADCAST_MOVES)[number];

/** How far a broadcast is. */
export interface BroadcastStanding {
  readonly status: BroadcastStatus;
  /** The first person may have been told. */
  readonly started: boolean;
  /** Nobody is left to be come to. */
  readonly through: boolean;
}

/** Where a move leads from here; null when it makes no sense. */
export function afterMove(
  { status, started, through }: BroadcastStanding,
  move: BroadcastMove,
): BroadcastStatus | null {
  const open = status === 'scheduled' || status === 'running';
  switch (move) {
    case 'pause':
      return open && !through ? 'paused' : null;
    case 'resume':
      if (status !== 'paused') return null;
      return started ? 'running' : 'scheduled';
    case 'cancel':
      return open || status === 'paused' ? 'cancelled' : null;
  }
}

/** What a broadcast says, how, and to whom. */
export interface BroadcastContent {
  readonly type: string;
  readonly title: string;
  readonly message: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly priority: Priority;
  readonly channels: readonly Channel[];
  /** Empty for all active people. */
  readonly groups: readonly string[];
  readonly expiresAt: Date | null;
}
