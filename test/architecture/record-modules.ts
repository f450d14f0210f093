import { appendFileSync } from 'node:fs';
import { createRequire, register } from 'node:module';

/* Loaded before a program: lists in the file MODULE_LIST every module that it loads, one a line. */

const list = process.env.MODULE_LIST ?? '';
const hook = `
  import { appendFileSync } from 'node:fs';
  export async function load(url, context, next) {
    appendFileSync(${JSON.stringify(list)}, url + '\\n');
    return next(url, context);
  }`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
// What CommonJS modules require of each other passes the hook by, and stays in this cache.
process.on('exit', () => {
  for (const file of Object.keys(createRequire(import.meta.url).cache)) appendFileSync(list, `${file}\n`);
});
