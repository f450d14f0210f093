import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../support/process.js';
import { drawStates } from './state-picture.js';

/** Where the picture of the states is kept. */
const PICTURE = 'docs/images/delivery-states.svg';

writeFileSync(path.join(ROOT, PICTURE), drawStates());
console.log(`drew ${PICTURE}`);
