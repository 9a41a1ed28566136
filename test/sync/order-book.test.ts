import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import type { Orders } from '../../src/contract/rack-words.ts';
import { OrderBook } from '../../src/sync/order-book.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-orders-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;

function newFile(): string {
  return join(directory, `${files++}.json`);
}

test('only a greater number is due, and each once', () => {
  const book = new OrderBook(newFile());
  assert.deepEqual(book.due({ import: 2 }, 'r'), [{ order: 'import', number: 2 }]);
  assert.deepEqual(book.due({ import: 2 }, 'r'), []);
  assert.deepEqual(book.due({ import: 3 }, 'r'), [{ order: 'import', number: 3 }]);
});

test('what was not begun when the process ended is due again; what was, is not', () => {
  const file = newFile();
  const before = new OrderBook(file);
  before.due({ import: 1, scan: 1 }, 'r');
  before.obeyed('scan', 1);
  assert.deepEqual(new OrderBook(file).due({ import: 1, scan: 1 }, 'r'), [{ order: 'import', number: 1 }]);
});

test('a rack that is enrolled as another one has obeyed nothing', () => {
  const file = newFile();
  const book = new OrderBook(file);
  book.due({ scan: 5 }, 'r');
  book.obeyed('scan', 5);
  assert.deepEqual(book.due({ scan: 1 }, 'another'), [{ order: 'scan', number: 1 }]);
});

test('a file that can’t be read obeys once more: that does no harm', () => {
  const file = newFile();
  writeFileSync(file, '{ "scan": "many"');
  assert.deepEqual(new OrderBook(file).due({ scan: 1 }, 'r'), [{ order: 'scan', number: 1 }]);
});

/** What is due of two that came together. */
const TOGETHER: readonly (readonly [what: string, orders: Orders, due: readonly string[]])[] = [
  ['an import that is stopped later is not begun', { import: 3, stopImport: 4 }, ['stopImport 4']],
  ['one that is ordered after a stop is', { import: 5, stopImport: 4 }, ['stopImport 4', 'import 5']],
  ['the lesser number comes first', { import: 7, scan: 2, stopImport: 5 }, ['scan 2', 'stopImport 5', 'import 7']],
];
for (const [what, orders, expected] of TOGETHER) {
  test(`of orders that come together ${what}, also not later`, () => {
    const file = newFile();
    const book = new OrderBook(file);
    const due = book.due(orders, 'r');
    assert.deepEqual(
      due.map(({ order, number }) => `${order} ${number}`),
      expected,
    );
    for (const { order, number } of due) book.obeyed(order, number);
    assert.deepEqual(new OrderBook(file).due(orders, 'r'), []);
  });
}

test('a region that was put back counts from where it is, and what it has forgotten is not done again', () => {
  const file = newFile();
  const book = new OrderBook(file);
  for (const { order, number } of book.due({ import: 9, scan: 4 }, 'r')) book.obeyed(order, number);
  assert.deepEqual(book.due({ import: 2 }, 'r'), []);
  assert.deepEqual(new OrderBook(file).due({ import: 3, scan: 1 }, 'r'), [
    { order: 'scan', number: 1 },
    { order: 'import', number: 3 },
  ]);
});
