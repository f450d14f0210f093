import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { terminalText } from '@belfry/local/log-lines.js';
import { startProcess } from '../support/process.js';

const ADDRESS = 'canary-address@example.org';
const TOKEN = 'canary-token-4711';
const TEXT = 'canary text: your rent was paid';

describe('the log', () => {
  let lines: readonly string[] = [];

  before(async () => {
    const args = [ADDRESS, TOKEN, TEXT];
    const child = await startProcess('test/dist/unit/log-canaries.js', {}, { readyMessage: false, args });
    assert.deepEqual(await child.exited, { code: 0, signal: null }, child.stderr.join('\n'));
    lines = child.stdout;
  });

  for (const [what, canary] of [
    ['an address', ADDRESS],
    ['a token, a secret or a password', TOKEN],
    ['the text of a message', TEXT],
  ] as const) {
    it(`never shows ${what}`, () => {
      assert.ok(lines.length > 10);
      assert.deepEqual(
        lines.filter((line) => line.includes(canary)),
        [],
      );
    });
  }

  it('is one JSON object a line, whatever is in it, with a level, a time and the process', () => {
    for (const line of lines) {
      const entry: Record<string, unknown> = JSON.parse(line);
      assert.match(String(entry.level), /^(info|warn|error)$/);
      assert.match(String(entry.time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      assert.equal(entry.service, 'canaries');
      assert.equal(typeof entry.pid, 'number');
      assert.ok(entry.msg);
    }
    assert.match(lines.at(-1) ?? '', /"count":7,"notification_id":"n-1"/);
  });

  it('shows everything else as it is, however deep', () => {
    const [plain] = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'nothing to hide');
    assert.deepEqual(plain.request, {
      at: '2026-03-01T10:00:00.000Z',
      tries: [1, null, { ok: true, to: '[redacted]' }],
    });
  });

  it('says who called, masked where that is an address, and does not say accepted of what failed at once', () => {
    const told = lines
      .map((line) => JSON.parse(line))
      .filter(({ event }) => event === 'accepted')
      .map(({ msg, caller }) => [msg, caller]);
    assert.deepEqual(told, [
      ['notification accepted', 'c*****s@example.org'],
      ['notification recorded as failed', 'billing'],
    ]);
  });

  it('tells whoever started it on a terminal why something failed', () => {
    const told = lines.map((line) => terminalText(line, 50)).filter((text) => text !== undefined);
    assert.ok(told.includes('request failed: connect ECONNREFUSED 127.0.0.1:1'), told.join('\n'));
  });

  it('keeps of an error what an operator needs: its kind, its code, where it was and why', () => {
    const failed = lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'request failed');
    const text = JSON.stringify(failed.err);
    assert.match(text, /ECONNREFUSED/);
    assert.match(text, /"stack":\["at /);
    assert.match(text, /"why":"connect ECONNREFUSED 127\.0\.0\.1:1"/);
    const leaky = lines.filter((line) => line.includes('"a URL'));
    assert.equal(leaky.length, 2);
    for (const line of leaky) assert.ok(line.includes('connect to smtp://***@mail.example failed'), line);
  });
});
