import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

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
  assert.deepEqual(book.due({ import: 1 }, 'r'), []);
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
