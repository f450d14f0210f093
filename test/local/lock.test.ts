import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { takeLock } from '@belfry/local/lock.js';
import { temporaryDir } from '../support/postgres.js';
import { ROOT } from '../support/process.js';

describe('a lock', { timeout: 60_000 }, () => {
  it('whose holder is gone goes to exactly one of those who want it at once', async () => {
    const dir = temporaryDir();
    const file = path.join(dir, 'lock');
    writeFileSync(file, JSON.stringify({ pid: process.pid, startedAt: 'in an earlier life', parent: 1 }));
    const env = { ...process.env, LOCK_FILE: file };
    const rivals = Array.from({ length: 6 }, () =>
      fork(path.join(ROOT, 'test/dist/local/take-lock.js'), { env }),
    );
    try {
      await Promise.all(rivals.map((rival) => once(rival, 'message')));
      const answers = rivals.map((rival) => once(rival, 'message') as Promise<[{ taken: boolean }]>);
      for (const rival of rivals) rival.send('go');
      const taken = (await Promise.all(answers)).filter(([{ taken }]) => taken);
      assert.equal(taken.length, 1);
    } finally {
      for (const rival of rivals) rival.kill('SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it('is refused with its holder while the holder lives, and free after release', () => {
    const dir = temporaryDir();
    const file = path.join(dir, 'lock');
    const first = takeLock(file);
    assert.ok('release' in first);
    const second = takeLock(file);
    assert.ok('heldBy' in second);
    assert.equal(second.heldBy.pid, process.pid);
    first.release();
    const third = takeLock(file);
    assert.ok('release' in third);
    third.release();
    rmSync(dir, { recursive: true, force: true });
  });
});
