import { z } from 'zod';
import { channelList, externalId, line, moment, priority, prose, record } from './fields.js';

const MOST_GROUPS = 1_000;
const SHORTEST_NOTICE_MS = 60_000;
const LONGEST_NOTICE_MS = 30 * 24 * 60 * 60 * 1000;

/** Nobody is to be mailed by surprise: whoever wants more than the inbox of everybody names it. */
const BY_DEFAULT = ['realtime'] as const;

const MESSAGE = {
  message: prose(10_000).meta({ description: 'What everybody is to know' }),
  priority: priority.default('normal'),
  data: record.optional().meta({ description: 'Kept, and handed to the application that shows it' }),
  send_at: moment.optional().meta({ description: 'When to begin; at once when absent' }),
  expires_at: moment
    .optional()
    .meta({ description: 'When it is too late: whoever has not been told by then is not told' }),
};

const AUDIENCE = {
  target_groups: z
    .array(externalId)
    .max(MOST_GROUPS, `must name at most ${MOST_GROUPS} groups`)
    .transform((groups) => [...new Set(groups)])
    .optional()
    .meta({ description: 'Whose members are told, each person once; none for all active people' }),
};

function channels(standard: readonly ('realtime' | 'email')[]) {
  return channelList
    .default([...standard])
    .meta({ description: `The channels to use; ${standard.join(' and ')} when absent` });
}

interface Times {
  readonly send_at?: Date | undefined;
  readonly expires_at?: Date | undefined;
}

const beginOf = ({ send_at }: Times) => Math.max(Date.now(), send_at?.getTime() ?? 0);

function inTime(request: Times, context: z.RefinementCtx): void {
  if (request.expires_at !== undefined && request.expires_at.getTime() <= beginOf(request))
    context.addIssue({
      code: 'custom',
      path: ['expires_at'],
      message: 'must be after send_at and in the future',
    });
}

const groupMessage = {
  ...MESSAGE,
  title: line(200).default('System Notification').meta({ description: 'One line' }),
  type: externalId.default('system').meta({ description: 'A word for the application that shows it' }),
  channels: channels(BY_DEFAULT),
};

/** One message to the members of a group. */
export const groupBroadcastRequest = z
  .object(groupMessage)
  .superRefine(inTime)
  .meta({ id: 'GroupBroadcastRequest', description: 'One message to the members of a group.' });

/** One message to all active people, or to the members of some groups. */
export const broadcastRequest = z
  .object({ ...groupMessage, ...AUDIENCE })
  .superRefine(inTime)
  .meta({ id: 'BroadcastRequest', description: 'One message to all active people, or to some groups.' });

/** How the system is, for everybody. */
export const statusRequest = z
  .object({
    ...MESSAGE,
    ...AUDIENCE,
    title: line(200).default('System Status').meta({ description: 'One line' }),
    channels: channels(BY_DEFAULT),
  })
  .superRefine(inTime)
  .meta({ id: 'SystemStatusRequest', description: 'How the system is.' });

/** Work that is announced, and of which people may be reminded before it begins. */
export const maintenanceRequest = z
  .object({
    ...MESSAGE,
    ...AUDIENCE,
    title: line(200).default('System Maintenance').meta({ description: 'One line' }),
    channels: channels(['realtime', 'email']),
    starts_at: moment.optional().meta({ description: 'When the work begins' }),
    ends_at: moment
      .optional()
      .meta({ description: 'When it is over; nobody is told after it, unless `expires_at` says otherwise' }),
    remind_before_ms: z
      .number()
      .int('must be a whole number')
      .min(SHORTEST_NOTICE_MS, `must be at least ${SHORTEST_NOTICE_MS}`)
      .max(LONGEST_NOTICE_MS, `must be at most ${LONGEST_NOTICE_MS}`)
      .optional()
      .meta({ description: 'A second broadcast goes out so long before `starts_at`' }),
  })
  .superRefine(inTime)
  .superRefine((request, context) => {
    const { starts_at, ends_at, remind_before_ms } = request;
    const wrong = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (ends_at !== undefined && ends_at.getTime() <= Math.max(beginOf(request), starts_at?.getTime() ?? 0))
      wrong('ends_at', 'must be after send_at and starts_at, and in the future');
    if (remind_before_ms === undefined) return;
    if (starts_at === undefined) wrong('starts_at', 'is required with remind_before_ms');
    else if (starts_at.getTime() <= beginOf(request))
      wrong('starts_at', 'must be after send_at and in the future with remind_before_ms');
    else if (starts_at.getTime() - remind_before_ms <= beginOf(request))
      wrong('remind_before_ms', 'must be after send_at and in the future, taken from starts_at');
  })
  .meta({
    id: 'MaintenanceRequest',
    description: 'Work that is announced.',
    dependentRequired: { remind_before_ms: ['starts_at'] },
  });

export type BroadcastRequest = z.infer<typeof broadcastRequest>;
export type MaintenanceRequest = z.infer<typeof maintenanceRequest>;
