import { z } from 'zod';
import { channelList, externalId, line } from './fields.js';

const LONGEST_MS = 7 * 24 * 60 * 60 * 1_000;
const MOST_STEPS = 20;
const MOST_REPEATS = 20;
const MOST_NAMED = 100;

function ids(of: string) {
  return z
    .array(externalId)
    .max(MOST_NAMED, `must name at most ${MOST_NAMED} ${of}`)
    .transform((given) => [...new Set(given)])
    .optional();
}

const targets = z
  .strictObject({
    users: ids('people').meta({ description: 'Ids of people' }),
    groups: ids('groups').meta({ description: 'Ids of groups: their members' }),
    on_call: z
      .boolean()
      .optional()
      .meta({ description: 'Whoever is on call for the type of the alert at that moment' }),
    admins: z.boolean().optional().meta({ description: 'Everybody with the role `admin`' }),
  })
  .refine(
    ({ users = [], groups = [], on_call, admins }) =>
      users.length > 0 || groups.length > 0 || on_call === true || admins === true,
    'must name somebody: users, groups, on_call or admins',
  )
  .meta({ id: 'AlertTargets', description: 'Whom a step tells: all that are named, each person once.' });

const step = z
  .strictObject({
    name: line(64).optional().meta({ description: 'What the timeline of an alert calls it' }),
    after_ms: z
      .int('must be a whole number of milliseconds')
      .min(0, 'must be at least 0')
      .max(LONGEST_MS, `must be at most ${LONGEST_MS}, which is 7 days`)
      .meta({
        description: 'Milliseconds after the step before it; for the first, after the alert was opened',
      }),
    notify: targets,
    channels: channelList
      .optional()
      .meta({ description: 'The channels to use; those of the level of the alert when absent' }),
  })
  .meta({ id: 'EscalationStep', description: 'One step of an escalation.' });

/** What `PUT /escalation-policies/{name}` takes. */
export const escalationPolicyBody = z
  .strictObject({
    steps: z
      .array(step)
      .min(1, 'must have at least one step')
      .max(MOST_STEPS, `must have at most ${MOST_STEPS} steps`)
      .meta({ description: 'In the order in which they are taken' }),
    repeat: z
      .int('must be a whole number')
      .min(0, 'must be at least 0')
      .max(MOST_REPEATS, `must be at most ${MOST_REPEATS}`)
      .default(0)
      .meta({ description: 'How often all steps are gone through again after the first time' }),
  })
  .superRefine(({ steps, repeat }, context) => {
    if (repeat > 0 && steps.every(({ after_ms }) => after_ms === 0))
      context.addIssue({
        code: 'custom',
        path: ['repeat'],
        message: 'must be 0 while no step has an after_ms: all repetitions would come at once',
      });
  })
  .meta({
    id: 'EscalationPolicyBody',
    description: 'What happens, step by step, while nobody acknowledges an alert.',
  });
