import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { geteuid } from 'node:process';
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

test('a link that somebody left in the way is not written through', () => {
  const [file, victim] = [join(directory, 'wanted'), join(directory, 'victim')];
  writeFileSync(victim, 'as it was');
  symlinkSync(victim, `${file}.new`);
  replaceFile(file, 'new');
  assert.equal(readFileSync(victim, 'utf8'), 'as it was');
  assert.equal(readFileSync(file, 'utf8'), 'new');
});

test('a file may be made for another owner; who can’t give it away keeps it', () => {
  const file = join(directory, 'given');
  replaceFile(file, 'x', 0o600, { uid: 65_534, gid: 65_534 });
  const { uid } = statSync(file);
  assert.equal(uid, geteuid?.() === 0 ? 65_534 : geteuid?.());
});
