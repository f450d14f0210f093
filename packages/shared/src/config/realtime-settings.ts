import { origins, whole } from './fields.js';

/** How the API streams to the people who are connected. */
export const realtimeFields = {
  SESSION_TTL_MS: whole(1_000, 86_400_000)
    .default(3_600_000)
    .describe('A session of which nothing was heard for this long is as gone.'),
  REALTIME_ORIGINS: origins
    .optional()
    .describe(
      'Other origins whose pages may open streams, such as `https://app.example.com`, with commas between them, or `*` for all.',
    ),
  REALTIME_LOOK_MS: whole(100, 60_000)
    .default(5_000)
    .describe('How often an API looks at the inboxes of those who are connected, should a signal be lost.'),
  REALTIME_STREAMS_PER_PERSON: whole(1, 1_000)
    .default(20)
    .describe('Streams of one person at once, over all processes.'),
  REALTIME_STREAMS: whole(1, 100_000).default(5_000).describe('Streams of one API process at once.'),
} as const;
