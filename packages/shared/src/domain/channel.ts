/** How a person can be reached, in the order in which Belfry lists and routes channels. */
export const CHANNELS = ['realtime', 'email', 'sms', 'push', 'webhook'] as const;
export type Channel = (typeof CHANNELS)[number];

/** How urgent a notification is, most urgent first. Each priority has queues and concurrency of its own. */
export const PRIORITIES = ['critical', 'high', 'normal', 'low'] as const;
export type Priority = (typeof PRIORITIES)[number];
