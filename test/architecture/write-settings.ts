import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../support/process.js';
import { envExample, settingsPage } from './settings-files.js';

/* Writes .env.example and docs/settings.md anew: node test/dist/architecture/write-settings.js */
writeFileSync(path.join(ROOT, '.env.example'), envExample());
writeFileSync(path.join(ROOT, 'docs/settings.md'), settingsPage());
