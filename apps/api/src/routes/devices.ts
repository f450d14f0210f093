import { type DeviceBody, deviceBody, deviceChoice } from '@belfry/shared/channels/device.js';
import { externalId } from '@belfry/shared/channels/fields.js';
import { maskDevice } from '@belfry/shared/domain/mask.js';
import { Refusal } from '@belfry/shared/domain/refusal.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import {
  type Device,
  type DeviceChoice,
  listDevices,
  type NewDevice,
  putDevice,
  removeDevices,
} from '@belfry/shared/ledger/devices.js';
import type { Notifier } from '@belfry/shared/notify/notifier.js';
import { type Request, Router } from 'express';
import { z } from 'zod';
import { allowSelf, callerOf } from '../middleware/authenticate.js';
import { jsonBody } from '../middleware/body.js';
import { idIn, parse } from '../middleware/parse.js';
import { unknownPerson, withKnown } from './known-person.js';

/** The browsers and telephones that a person lets Belfry push to. Whoever knows an endpoint could push to it, so no answer shows one. */
export function deviceRoutes({ database, notifier }: { database: Database; notifier: Notifier }): Router {
  const router = Router({ caseSensitive: true });
  const self = allowSelf('id');
  const body = jsonBody('256kb');

  router.get('/users/:id/devices', self, async (req, res) => {
    const id = personIn(req);
    const devices = await withKnown(notifier, id, () => listDevices(database, id));
    res.json(devices.map(shownDevice));
  });

  router.post('/users/:id/devices', self, ...body, async (req, res) => {
    const id = personIn(req);
    const device = deviceOf(parse(deviceBody, req.body));
    const put = await withKnown(notifier, id, () => putDevice(database, id, device, callerOf(req)));
    res.status(put.created ? 201 : 200).json(shownDevice(put.device));
  });

  router.delete('/users/:id/devices', self, ...body, async (req, res) => {
    // A client that cannot send a body with DELETE names the device in the query.
    const { endpoint, token, subscription } = parse(deviceChoice, { ...req.query, ...req.body });
    const address = endpoint ?? subscription?.endpoint ?? token;
    await remove(req, address === undefined ? 'all' : { address });
    res.status(204).end();
  });

  router.delete('/users/:id/devices/:device_id', self, async (req, res) => {
    await remove(req, { id: idIn(req, 'device_id') });
    res.status(204).end();
  });

  async function remove(req: Request, choice: DeviceChoice): Promise<void> {
    const id = personIn(req);
    const removed = await removeDevices(database, id, choice, callerOf(req));
    if (removed === null) throw unknownPerson(id);
    if (removed === 0 && choice !== 'all') throw unknownDevice();
  }

  return router;
}

function personIn(req: Request): string {
  return parse(z.object({ id: externalId }), { id: req.params.id }).id;
}

export function unknownDevice(): Refusal {
  return new Refusal('not_found', 'The person has no such device.', { reason: 'unknown_device' });
}

function deviceOf(body: DeviceBody): NewDevice {
  const { platform } = body;
  if (platform !== 'web') return { platform, address: body.token, keys: null };
  const { endpoint, keys } = body.subscription;
  return { platform, address: endpoint, keys: { p256dh: plain(keys.p256dh), auth: plain(keys.auth) } };
}

/** Without the padding, which some browsers write and nobody needs. */
function plain(key: string): string {
  return key.replace(/=+$/, '');
}

function shownDevice({ id, platform, address, createdAt, updatedAt }: Device) {
  return { id, platform, address: maskDevice(address), created_at: createdAt, updated_at: updatedAt };
}
