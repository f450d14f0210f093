import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { hashPassword, LONGEST_PASSWORD } from '@belfry/shared/domain/password.js';
import { INTERRUPTED, orExit, StartRefused } from '@belfry/shared/service/or-exit.js';

const SHORTEST = 12;

/** `npm run password-hash`: reads a password from the terminal, without showing it, or from stdin, and prints its hash. */
await orExit(async () => {
  const password = await firstLine();
  if (password.length < SHORTEST || Buffer.byteLength(password) > LONGEST_PASSWORD) {
    throw new StartRefused(
      `A password has at least ${SHORTEST} characters, and at most ${LONGEST_PASSWORD} bytes. For a good one: openssl rand -base64 18`,
    );
  }
  console.log(await hashPassword(password));
}, INTERRUPTED);

function firstLine(): Promise<string> {
  const typed = process.stdin.isTTY === true;
  if (typed) process.stderr.write('Password: ');
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: typed });
  return new Promise((resolve, reject) => {
    lines.once('line', (line) => {
      if (typed) process.stderr.write('\n');
      resolve(line);
      lines.close();
    });
    lines.once('close', () => reject(new StartRefused('There was no password on stdin.')));
  });
}
