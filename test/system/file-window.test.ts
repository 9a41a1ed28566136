import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { FileWindow } from '../../src/system/file-window.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-window-'));
after(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'file');
const SIZE = 2_500_000;
const CONTENT = Buffer.from(Array.from({ length: SIZE }, (_, at) => (at * 7) % 251));

test('a file of several windows is read from front to back, across their edges and to its end', () => {
  writeFileSync(file, CONTENT);
  const window = new FileWindow(file);
  assert.equal(window.size, SIZE);
  for (let at = 0; at < SIZE; at += 99_991) {
    const bytes = window.read(at, 120_000);
    assert.ok(CONTENT.subarray(at, at + 120_000).equals(bytes), `at ${at}`);
  }
  assert.equal(window.read(SIZE, 10).length, 0);
  assert.equal(window.read(SIZE + 5, 10).length, 0);
  window.close();
});

test('a file that becomes shorter meanwhile gives what is left', () => {
  writeFileSync(file, CONTENT);
  const window = new FileWindow(file);
  truncateSync(file, 1_500_000);
  assert.equal(window.read(1_400_000, 200_000).length, 100_000);
  assert.equal(window.read(2_000_000, 10).length, 0);
  window.close();
});

test('what is not there can not be opened', () => {
  assert.throws(() => new FileWindow(join(directory, 'nothing')), /ENOENT/);
});
