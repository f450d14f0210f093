import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Provider } from '@belfry/channels/provider.js';
import { mayGoTo } from '@belfry/channels/webhook/address-filter.js';
import { webhook as definition } from '@belfry/channels/webhook/webhook.js';
import { type NameServer, nameServer } from '../support/name-server.js';
import { answer, http, type WireServer, wireServer } from '../support/wire-server.js';
import { create, NO_PORTS } from './subject.js';
import { note, SECRET } from './webhook-subject.js';

/** Every way to write this machine, its neighbours or the cloud's own services that is known to have fooled somebody. */
const HOSTS = [
  '127.0.0.1',
  '127.0.0.1.',
  '127.1',
  '127.0.1',
  '127.255.255.254',
  '2130706433',
  '017700000001',
  '0177.0.0.1',
  '0177.0.0.01',
  '0x7f000001',
  '0x7f.0.0.1',
  '0x7F.0x0.0x0.0x1',
  '0',
  '0.0.0.0',
  '127.0.0.1%00.example.org',
  '１２７.０.０.１',
  '①②⑦.⓪.⓪.①',
  '127。0。0。1',
  '%31%32%37.0.0.1',
  'localhost',
  'LOCALHOST',
  'localhost.',
  'localhost.localdomain',
  '[::1]',
  '[::]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[0:0:0:0:0:ffff:7f00:0001]',
  '[::127.0.0.1]',
  '[::7f00:1]',
  '[::ffff:0:127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
  '[2001:0:7f00:1::]',
  '[fe80::1]',
  '[fec0::1]',
  '[fc00::1]',
  '[fd00:ec2::254]',
  '[fd20:ce::254]',
  '[ff02::1]',
  '[100::1]',
  '[5f00::1]',
  '[2001:db8::1]',
  '[3fff::1]',
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '100.64.0.1',
  '100.100.100.200',
  '169.254.169.254',
  '2852039166',
  '0251.0376.0251.0376',
  '192.0.0.192',
  '168.63.129.16',
  '192.0.2.1',
  '192.88.99.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
];

/** URLs that say one host to a hasty reader and another one to a parser. */
const TRICKS = (port: number) => [
  `http://example.org@127.0.0.1:${port}/`,
  `http://127.0.0.1:${port}@example.org/`,
  `http://user:pass@localhost:${port}/`,
  `http://localhost:${port}\\@example.org/`,
  `http:/127.0.0.1:${port}/`,
  `http:127.0.0.1:${port}`,
  `  http://127.0.0.1:${port}/`,
  `http://127.0.0.1\t:${port}/`,
  `ht\ntp://127.0.0.1:${port}/`,
  `http://127.0.0.1:${port}#@example.org/`,
  `//127.0.0.1:${port}/`,
  `127.0.0.1:${port}`,
  `file:///etc/passwd`,
  `ftp://127.0.0.1:${port}/`,
  `gopher://127.0.0.1:${port}/_`,
  'javascript:alert(1)',
  'data:text/plain,x',
  '',
];

const settings = (more: Record<string, string> = {}) => ({
  WEBHOOK_SECRETS: SECRET,
  WEBHOOK_ALLOW_HTTP: 'true',
  ...more,
});

describe('the address of a webhook', () => {
  let inside: WireServer;
  let names: NameServer;
  let provider: Provider<'webhook'>;
  before(async () => {
    inside = await wireServer(http(() => answer(200)));
    names = await nameServer((name, turn) => {
      if (name === 'inside.example') return ['127.0.0.1'];
      if (name === 'mixed.example') return ['93.184.215.14', '127.0.0.1'];
      if (name === 'link-local.example') return ['169.254.169.254'];
      if (name === 'nobody.example') return [];
      // Well when it is first looked at, and another place from then on.
      return [turn === 1 ? '127.0.0.2' : '127.0.0.1'];
    });
    provider = await create(definition, settings());
  });
  after(async () => {
    await provider.close();
    await names.close();
    await inside.close();
  });

  async function refused(to: string, by = provider): Promise<string> {
    const outcome = await by.send(note(to), AbortSignal.timeout(5_000));
    assert.equal(outcome.kind, 'rejected', `${to}: ${JSON.stringify(outcome)}`);
    assert.ok(!('suppress' in outcome));
    return outcome.code;
  }

  it('is refused in every spelling of an address inside, on an odd port and on the usual ones', async () => {
    assert.ok(HOSTS.length > 40);
    for (const host of HOSTS)
      for (const start of [`http://${host}:${inside.port}`, `http://${host}`, `https://${host}`]) {
        // A name that no resolver knows is no way in either.
        const outcome = await provider.send(note(`${start}/hook`), AbortSignal.timeout(5_000));
        if (outcome.kind === 'retry') assert.match(outcome.code, /^(ENOTFOUND|EAI_AGAIN)$/, start);
        else assert.equal(outcome.kind, 'rejected', `${start}: ${JSON.stringify(outcome)}`);
      }
    assert.equal(inside.connections(), 0);
  });

  it('is refused when it is no plain URL of the web', async () => {
    for (const url of TRICKS(inside.port)) await refused(url);
    assert.equal(inside.connections(), 0);
  });

  it('is refused by what its name leads to, even if only in part', async () => {
    const resolving = await create(definition, settings(), { ...NO_PORTS, lookup: names.lookup });
    for (const name of ['inside.example', 'mixed.example', 'link-local.example'])
      for (const scheme of ['http', 'https'])
        assert.equal(await refused(`${scheme}://${name}/`, resolving), 'forbidden-address');
    assert.equal(await refused(`http://inside.example:${inside.port}/`, resolving), 'forbidden-address');
    const unknown = await resolving.send(note('https://nobody.example/'), AbortSignal.timeout(5_000));
    assert.equal(unknown.kind, 'retry', 'a name may come to be');
    assert.equal(inside.connections(), 0);
    await resolving.close();
  });

  it('cannot be changed between the look and the connection: what was looked at is what is connected to', async () => {
    // 127.0.0.2 plays the receiver that is allowed. Nobody listens there, so whoever goes there is refused.
    const env = settings({ WEBHOOK_ALLOW_ADDRESSES: '127.0.0.2' });
    const rebinding = await create(definition, env, { ...NO_PORTS, lookup: names.lookup });
    const url = `http://rebind.example:${inside.port}/`;
    const first = await rebinding.send(note(url), AbortSignal.timeout(5_000));
    assert.deepEqual([first.kind, first.code], ['retry', 'ECONNREFUSED']);
    assert.equal(names.asked('rebind.example'), 1, 'one look for one connection');
    for (let turn = 2; turn <= 4; turn++) {
      assert.equal(await refused(url, rebinding), 'forbidden-address');
      assert.equal(names.asked('rebind.example'), turn);
    }
    assert.equal(inside.connections(), 0);
    await rebinding.close();
  });

  it('may be inside when the operator has listed it, on that port only if a port is named', async () => {
    const url = `http://127.0.0.1:${inside.port}/`;
    for (const [allowed, kind] of [
      ['127.0.0.1', 'sent'],
      ['127.0.0.0/8', 'sent'],
      [`127.0.0.1:${inside.port}`, 'sent'],
      ['127.0.0.1:1', 'rejected'],
      ['10.0.0.0/8', 'rejected'],
      ['::1', 'rejected'],
    ] as const) {
      const open = await create(definition, settings({ WEBHOOK_ALLOW_ADDRESSES: allowed }));
      const outcome = await open.send(note(url), AbortSignal.timeout(5_000));
      assert.equal(outcome.kind, kind, `${allowed}: ${JSON.stringify(outcome)}`);
      await open.close();
    }
  });

  it('must be encrypted unless http is allowed, to everybody or to those that are listed', async () => {
    const strict = await create(
      definition,
      settings({ WEBHOOK_ALLOW_HTTP: 'false', WEBHOOK_ALLOW_ADDRESSES: '127.0.0.1' }),
    );
    assert.equal(await refused(`http://127.0.0.1:${inside.port}/`, strict), 'https-only');
    await strict.close();
    const listed = await create(
      definition,
      settings({ WEBHOOK_ALLOW_HTTP: 'listed', WEBHOOK_ALLOW_ADDRESSES: `127.0.0.1:${inside.port}` }),
    );
    assert.equal(await refused('http://93.184.215.14/', listed), 'forbidden-address');
    const sent = await listed.send(note(`http://127.0.0.1:${inside.port}/`), AbortSignal.timeout(5_000));
    assert.equal(sent.kind, 'sent');
    await listed.close();
  });
});

describe('the filter of addresses', () => {
  const may = (address: string, port = 443) => mayGoTo(address, { port, listedOnly: false, listed: [] });

  it('lets the public internet pass, on the ports of the web', () => {
    for (const address of [
      '93.184.215.14',
      '8.8.8.8',
      '1.1.1.1',
      '100.63.255.255',
      '100.128.0.1',
      '2606:4700::1111',
      '2a00:1450::1',
    ])
      for (const port of [80, 443, 8080, 8443]) assert.ok(may(address, port), `${address} ${port}`);
    for (const port of [22, 25, 3000, 5432, 6379, 11211, 65_535])
      assert.ok(!may('93.184.215.14', port), String(port));
  });

  it('refuses what is no address in its usual spelling', () => {
    for (const text of [
      '',
      'localhost',
      '127.1',
      '0x7f000001',
      '2130706433',
      '0177.0.0.1',
      '93.184.215.14.',
      'fe80::1%eth0',
      '2606:4700::1111%1',
    ])
      assert.ok(!may(text), text);
  });
});
