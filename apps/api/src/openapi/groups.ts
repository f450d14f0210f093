import { externalId } from '@belfry/shared/channels/fields.js';
import { z } from 'zod';
import { groupQuery, memberQuery, unknownGroup } from '../routes/groups.js';
import { unknownPerson } from '../routes/known-person.js';
import { nextPage } from './headers.js';
import { json, type Topic } from './operation.js';
import { AT, instant } from './shapes.js';

const memberCount = z.int().min(0).meta({ description: 'Also those who are switched off' });

const group = z.object({ id: z.string(), member_count: memberCount }).meta({ id: 'Group' });

const groupMembers = z
  .object({
    id: z.string(),
    member_count: memberCount,
    members: z
      .array(z.object({ user_id: z.string(), active: z.boolean(), joined_at: instant }))
      .meta({ description: 'A page of them, by their ids' }),
  })
  .meta({ id: 'GroupMembers' });

const membership = z
  .object({ group_id: z.string(), user_id: z.string(), joined_at: instant })
  .meta({ id: 'Membership' });

const groupId = externalId.meta({ description: 'The group', param: { example: 'tenants' } });
const byId = z.object({ id: groupId });
const byMember = z.object({
  id: groupId,
  user_id: externalId.meta({ description: 'The person', param: { example: 'abebe' } }),
});

const MEMBERSHIP = { group_id: 'tenants', user_id: 'abebe', joined_at: AT };

export const groups: Topic = {
  name: 'Groups',
  description:
    'Who belongs together, for broadcasts. A group is there for as long as somebody is in it. `PUT /api/v1/users/{id}` replaces all groups of a person.',
  operations: [
    {
      id: 'listGroups',
      method: 'get',
      path: '/api/v1/groups',
      who: ['admin'],
      summary: 'Groups, by their ids',
      query: groupQuery,
      answers: {
        200: {
          description: 'A page of them',
          headers: { Link: nextPage },
          content: json(z.array(group), { page: [{ id: 'tenants', member_count: 2 }] }),
        },
      },
    },
    {
      id: 'getGroup',
      method: 'get',
      path: '/api/v1/groups/{id}',
      who: ['admin'],
      summary: 'A group with its members',
      params: byId,
      query: memberQuery,
      answers: {
        200: {
          description: 'A page of its members',
          headers: { Link: nextPage },
          content: json(groupMembers, {
            group: {
              id: 'tenants',
              member_count: 1,
              members: [{ user_id: 'abebe', active: true, joined_at: AT }],
            },
          }),
        },
      },
      refusals: [unknownGroup('nobodys')],
    },
    {
      id: 'addMember',
      method: 'put',
      path: '/api/v1/groups/{id}/members/{user_id}',
      who: ['admin'],
      summary: 'Put a person into a group',
      params: byMember,
      answers: {
        200: { description: 'They were in it', content: json(membership, { member: MEMBERSHIP }) },
        201: { description: 'They are in it now', content: json(membership, { member: MEMBERSHIP }) },
      },
      refusals: [unknownPerson('nobody')],
    },
    {
      id: 'removeMember',
      method: 'delete',
      path: '/api/v1/groups/{id}/members/{user_id}',
      who: ['admin'],
      summary: 'Take a person out of a group',
      params: byMember,
      answers: { 204: { description: 'They are not in it' } },
      refusals: [unknownPerson('nobody')],
    },
  ],
};
