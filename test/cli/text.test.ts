import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { contextOf } from '@belfry/cli/commands/send-body.js';
import { Terminal } from '@belfry/cli/terminal.js';
import { fitted, tableLines, widthOf } from '@belfry/cli/text/table.js';
import { ahead, before, brief, fromNow, since } from '@belfry/cli/text/times.js';
import { visible, visibleJson, visibleLines } from '@belfry/cli/text/visible.js';
import fc from 'fast-check';

const ROWS = [
  ['ክፍያ ተፈጽሟል፦ ብር 12,500.00 ለ«Bole»', 'SENT', '01a214f5-b8d7-76e5-87eb-ab51bfa3a922'],
  ['支払いが完了しました', 'FAILED', '01a214f5-b8d7-76e5-87eb-ab51bfa3a923'],
];

describe('a table', () => {
  it('is as wide as it must be where nothing has to fit', () => {
    const lines = tableLines(['TITLE', 'STATUS', 'ID'], ROWS, undefined);
    assert.ok(ROWS.every(([title = ''], n) => lines[n + 1]?.startsWith(title)));
  });

  it('is cut to fit, but never its ids', () => {
    const lines = tableLines(['TITLE', 'STATUS', 'ID'], ROWS, 64, { whole: ['ID'] });
    for (const [n, line] of lines.entries()) {
      assert.ok(widthOf(line) <= 64, line);
      if (n > 0) assert.ok(line.endsWith(ROWS[n - 1]?.[2] ?? ''), line);
    }
    assert.match(lines[1] ?? '', /…/);
  });

  it('leaves columns out where cutting is not enough', () => {
    const shape = { whole: ['ID'], spare: ['STATUS', 'TITLE'] };
    assert.equal(tableLines(['TITLE', 'STATUS', 'ID'], ROWS, 50, shape)[0], 'TITLE         ID');
    assert.equal(tableLines(['TITLE', 'STATUS', 'ID'], ROWS, 40, shape)[0], 'ID');
  });

  it('cuts between letters, whatever they are made of', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 20 }), (text, width) => {
        const shown = fitted(text, width);
        assert.ok(shown === text || (shown.endsWith('…') && text.startsWith(shown.slice(0, -1))));
        assert.ok(widthOf(shown) <= width || shown === text);
      }),
    );
  });
});

describe('text from elsewhere', () => {
  it('has no character left that a terminal would obey', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.doesNotMatch(visible(text), /\p{Cc}/u);
        assert.doesNotMatch(visibleLines(text).replace(/[\n\t]/g, ''), /\p{Cc}/u);
        assert.doesNotMatch(visibleJson({ text }), /\p{Cc}/u);
      }),
    );
  });

  it('is the same value in JSON as it was', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        assert.deepEqual(JSON.parse(visibleJson(value)), JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('keeps its letters', () => {
    assert.equal(visible('ክፍያ ተፈጽሟል 🔔'), 'ክፍያ ተፈጽሟል 🔔');
    assert.equal(visibleLines('a\r\nb\u001b[1m'), 'a\nb\\u001b[1m');
  });
});

describe('a time', () => {
  it('is a span from now, or left as it is', () => {
    const distance = (iso: string) => Math.round((new Date(iso).getTime() - Date.now()) / 1_000);
    assert.ok(Math.abs(distance(before('2h')) + 7_200) <= 1);
    assert.ok(Math.abs(distance(ahead('+10m')) - 600) <= 1);
    assert.ok(Math.abs(distance(ahead('1d')) - 86_400) <= 1);
    for (const given of ['2027-03-01T09:00:00Z', '1800000000', 'tomorrow']) assert.equal(ahead(given), given);
  });

  it('is said as people say it', () => {
    const now = new Date('2027-03-01T12:00:00Z').getTime();
    const said = (ms: number) => fromNow(new Date(now + ms).toISOString(), now);
    assert.deepEqual([-1_000, -120_000, -7_200_000, -259_200_000, 5_000].map(said), [
      '1 s ago',
      '2 min ago',
      '2 h ago',
      '3 d ago',
      'in 5 s',
    ]);
    assert.deepEqual([140, 200_000, 7_200_000, 900_000_000].map(since), [
      '0.14 s',
      '3 min 20 s',
      '2 h 0 min',
      '10 d 10 h',
    ]);
    assert.equal(brief(null), '');
    assert.match(brief('2020-05-06T07:08:09Z'), /^05-0[567] \d\d:\d\d$/);
  });
});

describe('a context that was typed', () => {
  it('has numbers where they are written like numbers', () => {
    const words = [
      'a=12500',
      'b=12.5',
      'c=007',
      'd=+251911000001',
      'e=',
      'f=1e3',
      'g=a=b',
      'h=Bole: the garden',
    ];
    assert.deepEqual(contextOf(words), {
      a: 12_500,
      b: 12.5,
      c: '007',
      d: '+251911000001',
      e: '',
      f: '1e3',
      g: 'a=b',
      h: 'Bole: the garden',
    });
  });

  it('takes JSON by word and whole, and the word wins', () => {
    assert.deepEqual(contextOf(['a:={"b":[1]}', 'c:="7"', '{"d":true}'], '{"a":1,"e":2}'), {
      a: { b: [1] },
      c: '7',
      d: true,
      e: 2,
    });
  });

  it('cannot reach a prototype', () => {
    const context = contextOf(['__proto__=x']);
    assert.equal(Object.getPrototypeOf(context), Object.prototype);
    assert.deepEqual(Object.keys(context), ['__proto__']);
  });
});

describe('a terminal', () => {
  it('has colours only where somebody looks who wants them, and never with --json', () => {
    assert.equal(on({ isTTY: true }).paint('red', 'x'), '\u001b[31mx\u001b[39m');
    for (const plain of [
      on({}),
      on({ isTTY: true }, { NO_COLOR: '1' }),
      on({ isTTY: true }, { TERM: 'dumb' }),
    ])
      assert.equal(plain.paint('red', 'x'), 'x');
    const json = on({ isTTY: true });
    json.json = true;
    assert.equal(json.paint('red', 'x'), 'x');
  });

  it('has a width only where somebody looks', () => {
    assert.equal(on({}).width, undefined);
    assert.equal(on({ isTTY: true, columns: 120 }).width, 120);
  });
});

function on(facts: { isTTY?: true; columns?: number }, env: NodeJS.ProcessEnv = {}): Terminal {
  const stream = Object.assign(new Writable({ write: (_chunk, _encoding, done) => done() }), facts);
  return new Terminal({
    stdout: stream as unknown as NodeJS.WriteStream,
    stderr: stream as unknown as NodeJS.WriteStream,
    env,
  });
}
