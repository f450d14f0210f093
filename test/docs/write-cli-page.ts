import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../support/process.js';
import { cliPage } from './cli-page.js';

/* Writes the commands in docs/cli.md anew: node test/dist/docs/write-cli-page.js */
const file = path.join(ROOT, 'docs/cli.md');
writeFileSync(file, await cliPage(readFileSync(file, 'utf8')));
