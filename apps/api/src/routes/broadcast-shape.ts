import type { BroadcastStatus } from '@belfry/shared/domain/broadcast.js';
import type { BroadcastProgress, BroadcastRow } from '@belfry/shared/ledger/broadcasts.js';

/** Nothing will change any more. */
export function hasEnded(status: BroadcastStatus): boolean {
  return status === 'completed' || status === 'cancelled';
}

/** A broadcast as a list has it. */
export function listedBroadcast(row: BroadcastRow) {
  return {
    id: row.id,
    status: row.status,
    type: row.type,
    title: row.title,
    priority: row.priority,
    channels: row.channels,
    target_groups: row.groups,
    total: row.total,
    reached: row.reached,
    send_at: row.sendAt,
    expires_at: row.expiresAt,
    created_at: row.createdAt,
    started_at: row.startedAt,
    // Before that it only says that nobody is left to be come to.
    ended_at: hasEnded(row.status) ? row.endedAt : null,
  };
}

/** A broadcast with all that is known of it. */
export function shownBroadcast({ broadcast, counts }: BroadcastProgress) {
  return {
    ...listedBroadcast(broadcast),
    message: broadcast.message,
    data: broadcast.data,
    caller: broadcast.caller,
    sent_count: counts.sent,
    failed_count: counts.failed,
    pending_count: counts.pending,
    cancelled_count: counts.cancelled,
    no_channel_count: counts.noChannel,
  };
}
