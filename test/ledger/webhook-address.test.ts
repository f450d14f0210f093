import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newId } from '@belfry/shared/domain/ids.js';
import { loadAddressees } from '@belfry/shared/ledger/addressees.js';
import { claimDeliveries } from '@belfry/shared/ledger/claim.js';
import { erasePerson } from '@belfry/shared/ledger/erase.js';
import { putPerson } from '@belfry/shared/ledger/people.js';
import { recordOutcomes } from '@belfry/shared/ledger/record.js';
import { objectionTo } from '@belfry/shared/routing/guard.js';
import { accept, claimed, firstOf, notification, OPS, recordFor, withLedger } from './with-ledger.js';

const ANNA = newId();
const GUARD = { poisonAfter: 10, mandatory: () => [] };

describe('the receiver of a webhook', () => {
  const ledger = withLedger();

  const moveTo = (id: string, url: string | null) =>
    ledger.one.rows('UPDATE person SET webhook_url = $2 WHERE id = $1', [id, url]);
  async function person(id: string, url: string): Promise<void> {
    await putPerson(ledger.one, id, {}, OPS);
    await moveTo(id, url);
  }
  async function accepted(personId: string): Promise<string> {
    const hook = notification({ personId, channels: ['webhook'] });
    await accept(ledger.one, hook);
    return firstOf(hook);
  }
  const claim = async (id: string) => claimed((await claimDeliveries(ledger.one, ANNA, 60_000, [id]))[0]);

  it('is where the person has it when the webhook goes out, not where it was when it was accepted', async () => {
    await person('abebe', 'https://old.example/Hook');
    const id = await accepted('abebe');
    await moveTo('abebe', 'https://new.example/Hook?Key=A');
    assert.equal((await claim(id)).address, 'https://new.example/Hook?Key=A');
  });

  it('that is gone by then is no reason to try: there is no address', async () => {
    await person('chaltu', 'https://chaltu.example/');
    const id = await accepted('chaltu');
    await moveTo('chaltu', null);
    assert.deepEqual(objectionTo(await claim(id), GUARD), {
      state: 'suppressed',
      reason: 'no_address',
    });
  });

  it('that said it is gone is not used again, until the person has another one', async () => {
    const url = 'https://sara.example/Hook';
    await person('sara', url);
    const [first, second, third] = [await accepted('sara'), await accepted('sara'), await accepted('sara')];
    const refused = { state: 'dead', reason: 'http-410', suppress: 'http-410' } as const;
    await recordOutcomes(ledger.one, ANNA, [recordFor(await claim(first), refused)]);
    assert.deepEqual((await loadAddressees(ledger.one, ['sara']))[0]?.suppressed, { webhook: 'http-410' });
    assert.deepEqual(objectionTo(await claim(second), GUARD), {
      state: 'suppressed',
      reason: 'http-410',
    });
    // Unlike mailboxes, two paths that differ in a letter's size are two receivers.
    await moveTo('sara', url.toLowerCase());
    assert.deepEqual((await loadAddressees(ledger.one, ['sara']))[0]?.suppressed, {});
    assert.equal(objectionTo(await claim(third), GUARD), null);
    await moveTo('sara', url);
    await erasePerson(ledger.one, 'sara', OPS);
    assert.deepEqual(await ledger.one.rows('SELECT * FROM suppression'), []);
  });
});
