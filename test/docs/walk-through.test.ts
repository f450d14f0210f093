import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { forEachEngine } from '../support/engines.js';
import { type Fleet, startFleet } from '../support/fleet.js';
import { ROOT } from '../support/process.js';
import { assertJson, assertText } from './answers.js';
import { type Step, scenesOf } from './scenes.js';
import { openShell, type Shell } from './shell.js';

/*
 * docs/walk-through.md as a reader would follow it: every command goes into one shell, every answer that is shown is
 * compared with the one that came. The fleet has the limits and attempts that are the default.
 */
const DOCUMENT = 'docs/walk-through.md';
const scenes = scenesOf(readFileSync(path.join(ROOT, DOCUMENT), 'utf8'));

forEachEngine((engine) => {
  let fleet: Fleet;
  let shell: Shell;

  before(async () => {
    fleet = await startFleet({ engine, env: { RATE_LIMIT: '1000/60s', RATE_LIMIT_SEND: '10/60s' } });
    shell = openShell(fleet.env);
  });
  after(async () => {
    shell?.stop();
    await fleet?.stop();
  });

  for (const { title, steps } of scenes) {
    test(`${DOCUMENT} tells the truth: ${title}`, async () => {
      for (const step of steps) await play(step);
    });
  }

  async function play({ line, command, answer }: Step): Promise<void> {
    try {
      const came = await shell.run(here(command));
      if (answer?.language === 'json') assertJson(came, answer.text);
      else if (answer) assertText(came, answer.text);
    } catch (error) {
      throw new Error(`${DOCUMENT}:${line}: ${(error as Error).message}`);
    }
  }

  /** The reader's fleet is at the usual ports, this one is not; and what npm does before a command is tested elsewhere. */
  function here(command: string): string {
    return command
      .replaceAll('http://127.0.0.1:3000', fleet.api.url)
      .replaceAll('http://127.0.0.1:3001', fleet.env.TWILIO_BASE_URL ?? '')
      .replaceAll('npm run --silent token --', 'node apps/api/bundle/commands/token.js');
  }
});
