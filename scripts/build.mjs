import path from 'node:path';
import { build } from './compile.mjs';
import { checkNode, root } from './ensure.mjs';
import { install, isInstalled } from './install.mjs';
import { alone } from './lock.mjs';

checkNode();
process.chdir(root);
await alone(path.join(root, '.belfry', 'ensure.lock'), async () => {
  if (!isInstalled(root)) await install(root);
  await build(root);
});
