import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { DELIVERY_STATES, LEGAL_MOVES } from '@belfry/shared/domain/delivery-state.js';
import { DELIVERY_QUEUES } from '@belfry/shared/queue/topology.js';
import { ROOT } from '../support/process.js';
import { drawStates } from './state-picture.js';

const MIGRATIONS = 'packages/shared/migrations';
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');
const picture = read('docs/images/delivery-states.svg');
const page = read('docs/architecture.md');

test('the picture of the states has every legal move and no other', () => {
  const drawn = [...picture.matchAll(/data-moves="([^"]+)"/g)].flatMap(([, moves]) =>
    (moves ?? '').split(','),
  );
  const legal = DELIVERY_STATES.flatMap((from) => LEGAL_MOVES[from].map((to) => `${from} ${to}`));
  assert.deepEqual(drawn.toSorted(), legal.toSorted());
});

test('the picture of the states is the one that the code draws; node test/dist/docs/draw.js draws it anew', () => {
  assert.equal(picture, drawStates());
});

test('the architecture page names every table of the ledger', () => {
  const migrations = readdirSync(path.join(ROOT, MIGRATIONS)).filter((name) => name.endsWith('.sql'));
  const tables = migrations.flatMap((name) =>
    [...read(path.join(MIGRATIONS, name)).matchAll(/CREATE TABLE "(\w+)"/g)].map(([, table]) => table),
  );
  assert.ok(tables.length > 0);
  assert.deepEqual(
    tables.filter((table) => !page.includes(`\`${table}\``)),
    [],
  );
});

test('the architecture page counts the queues right', () => {
  assert.ok(
    page.includes(`${DELIVERY_QUEUES.length} queues`),
    `it should speak of ${DELIVERY_QUEUES.length} queues`,
  );
});
