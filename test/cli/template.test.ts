import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { DEFAULT_TEMPLATES_DIR } from '@belfry/shared/templates/catalogue.js';
import { temporaryDir } from '../support/postgres.js';
import { runCli } from './run-cli.js';

const WORDS = ['property_title=Bole', 'amount=12500'];

describe('belfry template', () => {
  let dir: string;
  let broken: string;

  before(() => {
    dir = temporaryDir();
    broken = path.join(dir, 'broken');
    cpSync(DEFAULT_TEMPLATES_DIR, broken, { recursive: true });
    writeFileSync(path.join(broken, 'payment_success/en/sms.liquid'), 'Fine.\n{% if %}\n');
    writeFileSync(path.join(broken, 'payment_failed/am/sms.liquid'), '{{ nobody_knows }}');
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  it('preview shows every channel in the language that is asked for', async () => {
    const { code, stdout } = await runCli([
      'template',
      'preview',
      'payment_success',
      ...WORDS,
      '--locale',
      'am',
    ]);
    assert.equal(code, 0);
    assert.match(stdout, /^── email {2}payment_success@1\/am\nክፍያ/m);
    assert.match(stdout, /^── sms /m);
    assert.match(stdout, /^── realtime /m);
  });

  it('preview --json has the parts, --out the HTML of the mail', async () => {
    const out = path.join(dir, 'mail.html');
    const args = [
      'template',
      'preview',
      'payment_success',
      ...WORDS,
      '--channel',
      'email',
      '--out',
      out,
      '--json',
    ];
    const { code, stdout, stderr } = await runCli(args);
    assert.equal(code, 0, stderr);
    const { email, ...others } = JSON.parse(stdout);
    assert.deepEqual(others, {});
    assert.equal(readFileSync(out, 'utf8'), email.html);
    assert.match(email.html, /<html/);
    assert.equal(email.template, 'payment_success@1/en');
    assert.match(stderr, /The HTML is in .*mail\.html/);
  });

  it('preview says what a context lacks, and which events there are', async () => {
    const lacking = await runCli(['template', 'preview', 'payment_success', 'property_title=Bole']);
    assert.deepEqual([lacking.code, lacking.stdout], [1, '']);
    assert.match(lacking.stderr, /amount/);
    const unknown = await runCli(['template', 'preview', 'nothing']);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /Events: listing_approved, payment_failed/);
  });

  it('check is content with the templates that ship', async () => {
    const { code, stdout } = await runCli(['template', 'check', '--json']);
    assert.equal(code, 0);
    const { ok, events, problems } = JSON.parse(stdout);
    assert.deepEqual([ok, events.length, problems], [true, 4, []]);
    assert.match((await runCli(['template', 'check'])).stdout, /^ok {2}payment_success@1 {2}am, en, om$/m);
  });

  it('check names each problem with its file and line, and ends with 1', async () => {
    const env = { TEMPLATES_DIR: broken };
    const { code, stdout, stderr } = await runCli(['template', 'check'], { env });
    assert.equal(code, 1);
    assert.match(stdout, /^payment_success\/en\/sms\.liquid:2: /m);
    assert.match(stdout, /^payment_failed\/am\/sms\.liquid: reads nobody_knows/m);
    assert.match(stderr, /2 problems in /);
    const answered = await runCli(['template', 'check', '--json'], { env });
    assert.equal(answered.code, 1);
    const { ok, problems } = JSON.parse(answered.stdout);
    assert.equal(ok, false);
    const places = problems.map(({ file, line }: { file: string; line: number | null }) => `${file} ${line}`);
    assert.deepEqual(places.sort(), ['payment_failed/am/sms.liquid null', 'payment_success/en/sms.liquid 2']);
  });
});
