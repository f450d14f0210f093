import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { useFleet } from '../support/fleet.js';
import { ROOT } from '../support/process.js';
import { assertJson, assertText } from './answers.js';
import { cliPage } from './cli-page.js';
import { scenesOf } from './scenes.js';
import { openShell } from './shell.js';

const DOCUMENT = 'docs/cli.md';
const page = readFileSync(path.join(ROOT, DOCUMENT), 'utf8');

describe(DOCUMENT, () => {
  const fleet = useFleet({ engine: 'postgres' });

  it('has every command as --help explains it', async () => {
    assert.equal(page, await cliPage(page), 'node test/dist/docs/write-cli-page.js writes it anew');
  });

  it('shows a session that goes as it is shown', async () => {
    await fleet().command('seed');
    const shell = openShell({ ...fleet().env, BELFRY_URL: fleet().api.url });
    try {
      for (const { line, command, answer } of scenesOf(page).flatMap(({ steps }) => steps)) {
        const came = await shell.run(
          command.replaceAll('npm run --silent belfry --', 'node apps/cli/bundle/main.js'),
        );
        try {
          if (answer?.language === 'json') assertJson(came, answer.text);
          else if (answer) assertText(came, answer.text);
        } catch (error) {
          throw new Error(`${DOCUMENT}:${line}: ${(error as Error).message}`);
        }
      }
    } finally {
      shell.stop();
    }
  });
});
