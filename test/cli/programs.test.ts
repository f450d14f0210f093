import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeJwt, jwtVerify } from 'jose';
import { forEachEngine } from '../support/engines.js';
import { useFleet } from '../support/fleet.js';
import { runProgram } from './run-cli.js';

describe('belfry without the API', () => {
  const secret = 'x'.repeat(40);

  it('token prints a token and nothing else, or one in JSON', async () => {
    const args = ['token', '--role', 'internal', '--sub', 'me', '--ttl', '1h'];
    const plain = await runProgram(args, { env: { JWT_SECRET: secret } });
    assert.deepEqual([plain.code, plain.stderr], [0, '']);
    const { payload } = await jwtVerify(plain.stdout.trim(), new TextEncoder().encode(secret));
    assert.deepEqual([payload.sub, payload.role], ['me', 'internal']);
    const answered = await runProgram([...args, '--json'], { env: { JWT_SECRET: secret } });
    assert.equal(decodeJwt(JSON.parse(answered.stdout).token).sub, 'me');
  });

  it('a program keeps its own words and exit code', async () => {
    const wrong = await runProgram(['token', '--role', 'king'], { env: { JWT_SECRET: secret } });
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /^Usage: npm run token/);
    const lost = await runProgram(['seed', '--webhooks', 'nowhere']);
    assert.equal(lost.code, 1);
    assert.match(lost.stderr, /^Usage: npm run seed/);
    const ill = await runProgram(['doctor', '--json']);
    assert.equal(ill.code, 1);
    assert.equal(JSON.parse(ill.stdout).ok, false);
  });

  forEachEngine((engine) => {
    const fleet = useFleet({ engine, workers: [] });

    it('migrate, seed and rebuild-queues do what they do, twice as once', async () => {
      const { env } = fleet();
      const answer = async (command: string) => {
        const { code, stdout, stderr } = await runProgram([command, '--json'], { env });
        assert.equal(code, 0, stderr);
        return JSON.parse(stdout);
      };
      for (const _ of [1, 2]) assert.deepEqual(await answer('migrate'), { migrated: true });
      assert.deepEqual(await answer('seed'), { added: ['abebe', 'chaltu', 'sara'], known: [] });
      assert.deepEqual(await answer('seed'), { added: [], known: ['abebe', 'chaltu', 'sara'] });
      assert.deepEqual(await answer('rebuild-queues'), { requeued: 0 });
      const rebuilt = await runProgram(['rebuild-queues'], { env: { ...env, LOG_LEVEL: 'error' } });
      assert.equal(rebuilt.stdout, '0 deliveries had no job and got one.\n');
      assert.match((await runProgram(['seed'], { env })).stdout, /^known abebe$/m);
      assert.match((await runProgram(['migrate'], { env })).stdout, /^The schema is up to date\.$/m);
    });
  });
});
