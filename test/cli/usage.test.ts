import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COMMANDS, GROUPS } from './commands.js';
import { runCli } from './run-cli.js';

describe('belfry --help', { concurrency: 3 }, () => {
  for (const command of [...GROUPS, ...COMMANDS]) {
    it(`explains "${command.join(' ')}" without any setting`, async () => {
      const { code, stdout, stderr } = await runCli([...command, '--help']);
      assert.deepEqual([code, stderr], [0, '']);
      assert.ok(stdout.startsWith(`Usage: belfry${command.map((word) => ` ${word}`).join('')} `), stdout);
      assert.match(stdout, /--json/);
    });
  }
});

describe('belfry that is not understood ends with 2 and says why', { concurrency: 3 }, () => {
  for (const [args, said] of [
    [[], /^Usage: belfry/],
    [['dead'], /^Usage: belfry dead/],
    [['lst'], /unknown command 'lst'\n\(Did you mean list\?\)/],
    [['users', 'improt'], /unknown command 'improt'\n\(Did you mean import\?\)/],
    [['list', '--statsu', 'SENT'], /unknown option '--statsu'\n\(Did you mean --status\?\)/],
    [['get'], /missing required argument 'id'/],
    [['get', 'a', 'b'], /too many arguments/],
    [['list', '--limit', 'many'], /must be a whole number from 1 to/],
    [['list', '--status', 'LOST'], /PENDING, SENT, FAILED, CANCELLED/],
    [['send', 'abebe', '-m', 'x', '--priority', 'urgent'], /critical, high, normal, low/],
    [['send', 'abebe', '-m', 'x', '--channel', 'fax'], /"fax" is not one of realtime, email/],
    [['send', 'abebe'], /either an event or a --message/],
    [['send', 'abebe', 'payment_success', 'amount'], /"amount" is not part of a context/],
    [['send', 'abebe', 'payment_success', 'amount:=12,5'], /amount is not JSON/],
    [['send', 'abebe', '-m', 'x', '--data', '[]'], /--data is not a JSON object/],
    [['tail', '--since', 'yesterday'], /a span such as 10m, or a time in ISO 8601/],
    [['dead', 'replay'], /Give ids, something that chooses them/],
    [['dead', 'replay', 'x', '--channel', 'email'], /either ids or what chooses them/],
    [['users', 'put', 'abebe', '--prefer', 'fax=on'], /"fax=on" is not a channel=on/],
    [['users', 'erase', 'abebe'], /Add --yes/],
  ] as const) {
    it(`belfry ${args.join(' ')}`, async () => {
      const { code, stdout, stderr } = await runCli(args, { env: { BELFRY_TOKEN: 'x' } });
      assert.deepEqual([code, stdout], [2, ''], stderr);
      assert.match(stderr, said);
      assert.doesNotMatch(stderr, /^ +at /m);
    });
  }
});
