import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { complainQuietly } from '@belfry/shared/service/complain.js';
import type { Logger } from '@belfry/shared/service/log.js';

describe('a complaint', () => {
  it('is repeated now and then with how often it came, and forgotten when it comes no more', (t) => {
    let now = 0;
    t.mock.method(Date, 'now', () => now);
    const lines: unknown[] = [];
    const log = { warn: (line: unknown) => lines.push(line) } as unknown as Logger;
    const complain = complainQuietly(log);
    const after = (seconds: number, about: string) => {
      now += seconds * 1_000;
      complain(about, { about }, 'It is broken.');
    };
    after(0, 'a');
    after(1, 'a');
    after(40, 'b');
    after(1, 'a');
    after(1, 'a');
    after(400, 'b');
    after(1, 'a');
    assert.deepEqual(lines, [
      { about: 'a' },
      { about: 'b' },
      { about: 'a', repeated: 1 },
      { about: 'b' },
      { about: 'a' },
    ]);
  });
});
