import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { loadLibc } from '../../src/system/libc.ts';
import { lockDirectory } from '../../src/system/lock-directory.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-lock-'));
after(() => rmSync(directory, { recursive: true }));

test('a directory is locked once, also one that had to be made', () => {
  const libc = loadLibc();
  const state = join(directory, 'state');
  assert.equal(lockDirectory(libc, state), true);
  assert.equal(lockDirectory(libc, state), false);
  assert.equal(lockDirectory(libc, join(directory, 'other')), true);
});
