import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
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

test('what can’t be replaced stays and is said', () => {
  mkdirSync(join(directory, 'taken'));
  assert.throws(() => replaceFile(join(directory, 'taken'), 'x'), /EISDIR|ENOTEMPTY|EEXIST/);
});
