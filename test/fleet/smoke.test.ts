import { test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';

forEachEngine((engine) => {
  const fleet = useFleet({ engine });
  test('an event reaches a person by email and SMS', async () => {
    const { person, send, sandbox, untilStatus } = fleet();
    await person('abebe', {
      email: 'abebe@example.org',
      phone: '+251911000001',
      locale: 'am',
      preferences: { sms: true },
    });
    const id = await send({
      user_id: 'abebe',
      event_type: 'payment_success',
      context: { property_title: 'Villa 7', amount: 100 },
    });
    await sandbox.expectEmail('abebe@example.org', /./);
    await sandbox.expectSms('+251911000001', /./);
    await untilStatus(id, 'SENT');
    await sandbox.expectNothingElse();
  });
});
