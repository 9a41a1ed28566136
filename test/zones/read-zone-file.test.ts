import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { readZoneFile } from '../../src/zones/read-zone-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-zones-'));
after(() => rmSync(directory, { recursive: true }));

test('a file comes as octets, one character each', () => {
  const file = join(directory, 'zone');
  writeFileSync(file, Uint8Array.of(0x61, 0xc3, 0xa4, 0x00, 0xff));
  assert.equal(readZoneFile(file), 'a\u{c3}\u{a4}\u{0}\u{ff}');
});

test('what is no plain file is refused at once, and nobody waits for it', () => {
  const pipe = join(directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  assert.throws(() => readZoneFile(pipe), { message: 'no plain file' });
  assert.throws(() => readZoneFile('/dev/zero'), { message: 'no plain file' });
  assert.throws(() => readZoneFile(directory), { message: 'a directory' });
  assert.throws(() => readZoneFile(join(directory, 'gone')), { code: 'ENOENT' });
});

test('a file that is too large to be one of zones is refused', () => {
  const file = join(directory, 'large');
  writeFileSync(file, '');
  truncateSync(file, 257 * 1024 * 1024);
  assert.throws(() => readZoneFile(file), { message: 'one of 269484032 bytes, more than 268435456' });
});
