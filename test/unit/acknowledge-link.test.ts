import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAcknowledgeLinks } from '@belfry/shared/domain/acknowledge-link.js';
import { newId } from '@belfry/shared/domain/ids.js';
import fc from 'fast-check';

const links = createAcknowledgeLinks('https://belfry.example.com', 'a secret of the installation');
const tokenOf = (id: string) => links.urlOf(id).split('/').at(-1) ?? '';

describe('the link of a notification', () => {
  it('is short, has nothing that has to be escaped, and leads back to it', () =>
    fc.assert(
      fc.property(fc.uuid({ version: 7 }), (id) => {
        assert.match(links.urlOf(id), /^https:\/\/belfry\.example\.com\/a\/[\w-]{38}$/);
        assert.equal(links.notificationIn(tokenOf(id)), id);
      }),
    ));

  it('is the same each time, in every process that has the secret, and another one with another secret', () => {
    const id = newId();
    const same = createAcknowledgeLinks('https://belfry.example.com', 'a secret of the installation');
    assert.equal(same.urlOf(id), links.urlOf(id));
    const other = createAcknowledgeLinks('https://belfry.example.com', 'another secret');
    assert.notEqual(other.urlOf(id), links.urlOf(id));
    assert.equal(other.notificationIn(tokenOf(id)), null);
  });

  it('is not believed when any bit of it is changed', () => {
    const bytes = Buffer.from(tokenOf(newId()), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(links.notificationIn(changed.toString('base64url')), null, `bit ${bit}`);
    }
  });

  it('is nothing else that somebody may write in its place', () => {
    const token = tokenOf(newId());
    for (const wrong of [
      '',
      'x',
      token.slice(1),
      `${token}A`,
      `${token}=`,
      token.replace(/.$/, '+'),
      '../..',
    ])
      assert.equal(links.notificationIn(wrong), null, wrong);
  });
});
