import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { temporaryDir } from '../support/postgres.js';
import { ROOT } from '../support/process.js';

describe('scripts/ensure.mjs', { timeout: 120_000 }, () => {
  let base = '';
  let checkout = '';

  beforeEach(() => {
    base = temporaryDir();
    checkout = path.join(base, 'a checkout');
    makeCheckout(checkout);
  });
  afterEach(() => rmSync(base, { recursive: true, force: true }));

  it('builds what is stale, and says nothing when all is well', async () => {
    const first = await ensure(checkout);
    assert.equal(first.code, 0, first.output);
    assert.match(first.output, /Built in/);
    assert.ok(existsSync(path.join(checkout, 'part/dist/one.js')));
    assert.deepEqual(await ensure(checkout), { code: 0, output: '' });
    writeFileSync(path.join(checkout, 'part/src/one.ts'), 'export const one = 11;\n');
    assert.match((await ensure(checkout)).output, /Built in/);
    assert.match(readFileSync(path.join(checkout, 'part/dist/one.js'), 'utf8'), /11/);
  });

  it('builds again when the output was deleted', async () => {
    await ensure(checkout);
    rmSync(path.join(checkout, 'part/dist'), { recursive: true });
    assert.match((await ensure(checkout)).output, /Built in/);
    assert.ok(existsSync(path.join(checkout, 'part/dist/one.js')));
  });

  it('removes the output of a source that is gone, so a deleted test does not run for ever', async () => {
    await ensure(checkout);
    rmSync(path.join(checkout, 'part/src/two.ts'));
    await ensure(checkout);
    assert.ok(existsSync(path.join(checkout, 'part/dist/one.js')));
    assert.ok(!existsSync(path.join(checkout, 'part/dist/two.js')));
  });

  it('does the work once when two copies start together', async () => {
    const outputs = (await Promise.all([ensure(checkout), ensure(checkout)])).map(({ code, output }) => {
      assert.equal(code, 0, output);
      return output;
    });
    assert.equal(outputs.filter((output) => output.includes('Built in')).length, 1, outputs.join('---'));
  });

  it('takes over the lock of a copy that was killed', async () => {
    mkdirSync(path.join(checkout, '.belfry'));
    writeFileSync(path.join(checkout, '.belfry/ensure.lock'), `${process.pid} in-an-earlier-life`);
    assert.match((await ensure(checkout)).output, /Built in/);
  });

  it('shows what the compiler says and fails when a source is wrong', async () => {
    writeFileSync(path.join(checkout, 'part/src/one.ts'), 'export const one: string = 1;\n');
    const { code, output } = await ensure(checkout);
    assert.equal(code, 1);
    assert.match(output, /TS2322[\s\S]*The build failed/);
    assert.equal((await ensure(checkout)).code, 1, 'a failed build is not taken for a good one');
  });

  it('does not build again for a lock file that was only touched', async () => {
    await ensure(checkout);
    const lock = path.join(checkout, 'package-lock.json');
    utimesSync(lock, new Date(), new Date());
    assert.doesNotMatch((await ensure(checkout)).output, /Installing/);
  });

  it('names the Node.js that is needed when this one is too old', async () => {
    const manifest = JSON.stringify({ type: 'module', engines: { node: '>=99.5' } });
    writeFileSync(path.join(checkout, 'package.json'), manifest);
    const { code, output } = await ensure(checkout);
    assert.equal(code, 1);
    assert.match(output, /Belfry needs Node\.js 99\.5 or newer, and this is \d+\.\d+/);
  });
});

// The real scripts on a project of two files; the compiler is borrowed from this checkout.
function makeCheckout(dir: string): void {
  cpSync(path.join(ROOT, 'scripts'), path.join(dir, 'scripts'), { recursive: true });
  mkdirSync(path.join(dir, 'part/src'), { recursive: true });
  mkdirSync(path.join(dir, 'node_modules'));
  for (const name of ['typescript', '@typescript', '@types', 'undici-types']) {
    symlinkSync(path.join(ROOT, 'node_modules', name), path.join(dir, 'node_modules', name));
  }
  cpSync(path.join(ROOT, 'tsconfig.base.json'), path.join(dir, 'tsconfig.base.json'));
  const files = {
    'package.json': { type: 'module', engines: { node: '>=20.19' } },
    'package-lock.json': { packages: {} },
    'node_modules/.package-lock.json': { packages: {} },
    'tsconfig.json': { files: [], references: [{ path: 'part' }] },
    'part/package.json': { type: 'module' },
    'part/tsconfig.json': {
      extends: '../tsconfig.base.json',
      compilerOptions: { rootDir: 'src', outDir: 'dist' },
      include: ['src'],
    },
  };
  for (const [name, value] of Object.entries(files))
    writeFileSync(path.join(dir, name), JSON.stringify(value));
  writeFileSync(path.join(dir, 'part/src/one.ts'), 'export const one = 1;\n');
  writeFileSync(path.join(dir, 'part/src/two.ts'), 'export const two = 2;\n');
}

function ensure(checkout: string): Promise<{ code: number | null; output: string }> {
  const program = "import('./scripts/ensure.mjs').then(({ ensure }) => ensure())";
  const child: ChildProcess = spawn(process.execPath, ['-e', program], { cwd: checkout, timeout: 60_000 });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (output += String(text)));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}
