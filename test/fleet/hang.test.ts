import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ENGINES } from '../support/engines.js';
import { withFleet } from '../support/fleet.js';
import { email, only, sms } from './sending.js';

// All of the time here is spent waiting for the deadlines of providers, so the engines wait together.
describe('a provider that never answers', { concurrency: true }, () => {
  for (const engine of ENGINES) {
    test(`is left at its deadline, and what it may have is settled by the policy of its channel, on ${engine}`, async () => {
      await withFleet({ engine }, async (fleet) => {
        const { sandbox, untilStatus } = fleet;
        const hang = (channel: 'email' | 'sms', recipient: string, at: 'before' | 'after') =>
          sandbox.fault({ channel, recipient, action: { kind: 'hang', at }, times: 1 });
        await hang('sms', '+251911000301', 'before');
        await hang('sms', '+251911000302', 'after');
        await hang('email', 'hang@example.org', 'after');
        const ids = [
          await sms(fleet, '+251911000301'),
          await sms(fleet, '+251911000302'),
          await email(fleet, 'hang@example.org'),
        ];
        await untilStatus(await email(fleet, 'other@example.org'), 'SENT');

        for (const id of ids) await untilStatus(id, 'SENT', { timeoutMs: 60_000 });
        const [absent, there, mail] = await Promise.all(ids.map((id) => only(fleet, id)));
        assert.deepEqual(
          absent?.tried.map(({ outcome, code }) => [outcome, code]),
          [
            ['ambiguous', 'timeout'],
            ['sent', 'http-201'],
          ],
        );
        assert.deepEqual(
          there?.tried.map(({ outcome, code }) => [outcome, code]),
          [
            ['ambiguous', 'timeout'],
            ['sent', 'found'],
          ],
        );
        assert.deepEqual(
          mail?.tried.map(({ outcome }) => outcome),
          ['ambiguous', 'sent'],
        );
        assert.equal((await sandbox.messages({ channel: 'sms' })).length, 2, 'no text message came twice');
        const mails = await sandbox.messages({ to: 'hang@example.org' });
        assert.deepEqual(
          mails.map(({ message_id }) => message_id),
          Array(2).fill(`<${mail?.id}@belfry.test>`),
        );
      });
    });
  }
});
