import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SAMPLES } from './samples.js';
import { shipped } from './support.js';

async function problemsIn(event: string, context: unknown): Promise<Record<string, string>> {
  const checked = (await shipped).check(event, context);
  if (checked.ok) return {};
  return Object.fromEntries(checked.problems.map(({ path, message }) => [path, message]));
}

const PAYMENT = { property_title: 'Loft', amount: 5 };

test('the sample contexts are accepted', async () => {
  for (const [event, context] of Object.entries(SAMPLES))
    assert.deepEqual(await problemsIn(event, context), {}, event);
});

test('an unknown event is named, beside those that there are', async () => {
  const { event_type: message } = await problemsIn('payment_sucess', PAYMENT);
  assert.match(message ?? '', /no event "payment_sucess".*payment_success/);
});

test('a missing variable is named and said to be missing', async () => {
  assert.deepEqual(await problemsIn('payment_failed', {}), {
    'context.property_title': 'The variable "property_title" is missing.',
    'context.amount': 'The variable "amount" is missing.',
  });
  assert.deepEqual(await problemsIn('listing_approved', { property_title: undefined }), {
    'context.property_title': 'The variable "property_title" is missing.',
  });
});

test('a wrong variable is named, with what is expected and without its value', async () => {
  for (const [name, value] of [
    ['amount', '12500'],
    ['amount', null],
    ['amount', Number.NaN],
    ['amount', Number.POSITIVE_INFINITY],
    ['amount', { valueOf: 5 }],
    ['property_title', 7],
    ['property_title', '   '],
    ['property_title', ['secret']],
    ['property_title', 'secret '.repeat(100)],
    ['location', 5],
    ['currency', 'secret'],
    ['currency', 'XXX'],
    ['currency', ''],
  ] as const) {
    const problems = await problemsIn('payment_success', { ...PAYMENT, [name]: value });
    assert.deepEqual(Object.keys(problems), [`context.${name}`], `${name}: ${value}`);
    assert.match(problems[`context.${name}`] ?? '', new RegExp(`^The variable "${name}" is wrong: it `));
    assert.doesNotMatch(problems[`context.${name}`] ?? '', /secret/);
  }
});

test('a context that is no object is refused', async () => {
  for (const context of [null, undefined, 5, 'x', []]) {
    assert.deepEqual(Object.keys(await problemsIn('listing_approved', context)), ['context']);
  }
});

test('the currency is ETB unless it is named, in either case', async () => {
  const catalogue = await shipped;
  for (const [given, kept] of [
    [{}, 'ETB'],
    [{ currency: null }, 'ETB'],
    [{ currency: 'usd' }, 'USD'],
  ] as const) {
    const checked = catalogue.check('payment_success', { ...PAYMENT, ...given });
    assert.equal(checked.ok && checked.context.currency, kept);
  }
});

test('an unknown variable is kept for the ledger, and accepting twice changes nothing', async () => {
  const catalogue = await shipped;
  const given = JSON.parse(
    '{"property_title": " Loft ", "amount": 5, "invoice": {"n": 1}, "__proto__": {"x": 1}}',
  );
  const first = catalogue.check('payment_success', given);
  assert.ok(first.ok);
  assert.deepEqual(first.context.invoice, { n: 1 });
  assert.equal(first.context.property_title, 'Loft');
  assert.deepEqual(catalogue.check('payment_success', first.context), first);
});
