import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { ROOT } from '../support/process.js';

const documents = [
  'README.md',
  'CHANGELOG.md',
  'apps/sandbox/README.md',
  ...readdirSync(path.join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.join('docs', name)),
];

for (const document of documents) {
  describe(document, () => {
    const text = readFileSync(path.join(ROOT, document), 'utf8');

    test('links only to what is there', () => {
      const broken = linksIn(text).filter((link) => !leads(document, link));
      assert.deepEqual(broken, []);
    });

    test('names only commands that npm knows', () => {
      const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
      const named = [...text.matchAll(/npm run (?:--silent )?([a-z][\w-]*)/g)].map(([, name]) => name ?? '');
      assert.deepEqual(
        named.filter((name) => !(name in scripts)),
        [],
      );
    });

    test('names no place of the machine it was written on', () => {
      assert.doesNotMatch(text, /\/(home|root|work|Users)\/\w/);
    });
  });
}

test('every picture is shown somewhere', () => {
  const pictures = readdirSync(path.join(ROOT, 'docs/images'));
  const all = documents.map((document) => readFileSync(path.join(ROOT, document), 'utf8')).join('\n');
  assert.deepEqual(
    pictures.filter((picture) => !all.includes(`images/${picture}`)),
    [],
  );
});

/** The targets of links and pictures that lie in the checkout. Blocks of code hold none. */
function linksIn(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) =>
    /^\w+:/.test(link) ? [] : [link],
  );
}

function leads(document: string, link: string): boolean {
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? document : path.join(path.dirname(document), file);
  if (!existsSync(path.join(ROOT, target))) return false;
  if (anchor === undefined) return true;
  const headings = [...readFileSync(path.join(ROOT, target), 'utf8').matchAll(/^#+ (.+)$/gm)];
  return headings.some(([, heading = '']) => slug(heading) === anchor);
}

/** The anchor that GitHub gives a heading. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-');
}
