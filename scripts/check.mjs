import path from 'node:path';
import { ensure, root } from './ensure.mjs';
import { run, say, since } from './progress.mjs';

await ensure();
const steps = [
  ['types', 'typescript/bin/tsc', ['-b']],
  ['lint and formatting', '@biomejs/biome/bin/biome', ['ci', '.']],
  ['unused code', 'knip/bin/knip.js', []],
  ['import direction', undefined, [path.join(root, 'scripts', 'test.mjs'), 'architecture']],
];
let failed = 0;
for (const [title, program, args] of steps) {
  const startedAt = performance.now();
  const file = program ? [path.join(root, 'node_modules', program)] : [];
  const code = await run(title, process.execPath, [...file, ...args], { cwd: root });
  say(`${code === 0 ? 'ok  ' : 'FAIL'}  ${title}, ${since(startedAt)}`);
  if (code !== 0) failed++;
}
process.exit(failed ? 1 : 0);
