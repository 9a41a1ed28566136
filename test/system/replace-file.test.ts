import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { replaceFile } from '../../src/system/replace-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-replace-'));
after(() => rmSync(directory, { recursive: true }));

test('a file is written, then replaced, with nothing left beside it', () => {
  const file = join(directory, 'made', 'file');
  replaceFile(file, 'one, and longer\n');
  replaceFile(file, 'two\n');
  assert.equal(readFileSync(file, 'utf8'), 'two\n');
  assert.deepEqual(readdirSync(join(directory, 'made')), ['file']);
});

test('bytes may be written for others to read, whatever was left behind by a crash', () => {
  const file = join(directory, 'loader');
  writeFileSync(`${file}.new`, 'half', { mode: 0o600 });
  replaceFile(file, Uint8Array.of(0, 255, 10), 0o644);
  assert.deepEqual([...readFileSync(file)], [0, 255, 10]);
  assert.equal(statSync(file).mode & 0o777, 0o644);
});

test('what can’t be replaced stays and is said', () => {
  mkdirSync(join(directory, 'taken'));
  assert.throws(() => replaceFile(join(directory, 'taken'), 'x'), /EISDIR|ENOTEMPTY|EEXIST/);
});
