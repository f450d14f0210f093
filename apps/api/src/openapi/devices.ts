import { deviceBody, deviceChoice } from '@belfry/shared/channels/device.js';
import { externalId } from '@belfry/shared/channels/fields.js';
import { directoryUnavailable } from '@belfry/shared/directory/directory.js';
import { PLATFORMS } from '@belfry/shared/domain/device.js';
import { z } from 'zod';
import { unknownDevice } from '../routes/devices.js';
import { unknownPerson } from '../routes/known-person.js';
import { json, type Topic } from './operation.js';
import { AT, DELIVERY_ID, id, instant, LATER } from './shapes.js';

const device = z
  .object({
    id,
    platform: z.enum(PLATFORMS),
    address: z.string().meta({ description: 'The endpoint or the token, masked' }),
    created_at: instant,
    updated_at: instant.meta({ description: 'When it was registered last' }),
  })
  .meta({ id: 'Device', description: 'A browser or telephone that a person lets Belfry push to.' });

const person = externalId.meta({ description: 'The person', param: { example: 'abebe' } });
const byId = z.object({ id: person });

/** The keys are those of the example in RFC 8291 §5. */
const BROWSER = {
  platform: 'web',
  subscription: {
    endpoint: 'https://push.example.com/send/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV',
    keys: {
      p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
      auth: 'BTBZMqHH6r4Tts7J_aSIgg',
    },
  },
};
const PHONE = { platform: 'android', token: 'dGVzdA:APA91bExampleOfARegistrationToken' };
const SHOWN = {
  id: DELIVERY_ID,
  platform: 'web',
  address: 'https://push.example.com/***',
  created_at: AT,
  updated_at: LATER,
};

export const devices: Topic = {
  name: 'Devices',
  description: 'Where a push reaches a person.',
  operations: [
    {
      id: 'listDevices',
      method: 'get',
      path: '/api/v1/users/{id}/devices',
      who: ['admin', 'self'],
      summary: "A person's devices, the oldest first",
      params: byId,
      answers: { 200: { description: 'All of them', content: json(z.array(device), { one: [SHOWN] }) } },
      refusals: [unknownPerson('nobody'), directoryUnavailable()],
    },
    {
      id: 'registerDevice',
      method: 'post',
      path: '/api/v1/users/{id}/devices',
      who: ['admin', 'self'],
      summary: 'Register a device',
      description:
        'At every start of the app: the same one again changes nothing but its keys. One that somebody else had is this person’s from now on. A person has 20 at most; the one that was registered longest ago makes room.',
      params: byId,
      body: json(deviceBody, { browser: BROWSER, telephone: PHONE }),
      answers: {
        200: { description: 'It was theirs already', content: json(device, { one: SHOWN }) },
        201: { description: 'Registered', content: json(device, { one: SHOWN }) },
      },
      refusals: [unknownPerson('nobody'), directoryUnavailable()],
    },
    {
      id: 'forgetDevices',
      method: 'delete',
      path: '/api/v1/users/{id}/devices',
      who: ['admin', 'self'],
      summary: 'Forget a device by what its app knows of it, or all of them',
      description:
        'The body, or the query, has the `endpoint`, the `token` or the `subscription`. Without any of it all of the person’s devices are forgotten.',
      params: byId,
      query: deviceChoice.omit({ subscription: true }),
      body: json(deviceChoice, {
        browser: { endpoint: BROWSER.subscription.endpoint },
        telephone: { token: PHONE.token },
        all: {},
      }),
      answers: { 204: { description: 'Forgotten' } },
      refusals: [unknownPerson('nobody'), unknownDevice()],
    },
    {
      id: 'forgetDevice',
      method: 'delete',
      path: '/api/v1/users/{id}/devices/{device_id}',
      who: ['admin', 'self'],
      summary: 'Forget a device by its id',
      params: z.object({
        id: person,
        device_id: id.meta({ description: 'The device', param: { example: DELIVERY_ID } }),
      }),
      answers: { 204: { description: 'Forgotten' } },
      refusals: [unknownPerson('nobody'), unknownDevice()],
    },
  ],
};
