import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { createRoutes } from '../../src/boot/routes.ts';
import { CaseFinder } from '../../src/system/case-finder.ts';
import { systemClock } from '../../src/system/clock.ts';
import { openContent } from '../../src/tftp/content.ts';
import { SharedFiles } from '../../src/tftp/shared-files.ts';
import { RACK, testPlan } from './test-rack.ts';

function directory(t: TestContext): string {
  const files = mkdtempSync(join(tmpdir(), 'rackboot-content-'));
  t.after(() => rmSync(files, { recursive: true }));
  return files;
}

/** What a path gives by TFTP, or why it gives nothing. */
function read(files: string, path: string): string {
  const shelf = { files: new SharedFiles(systemClock), finder: new CaseFinder() };
  const content = openContent(createRoutes(testPlan(files)).resolve(path, { rackAddress: RACK }), 'octet', shelf);
  if ('reason' in content) return content.reason;
  const bytes = Buffer.alloc(content.length);
  content.read(0, bytes, 0, content.length);
  content.close();
  return bytes.toString();
}

test('a list that GRUB probes for is empty where there is none, and the real one where there is', (t) => {
  const files = directory(t);
  assert.equal(read(files, '/grub/x86_64-efi/command.lst'), '');
  mkdirSync(join(files, 'grub/x86_64-efi'), { recursive: true });
  writeFileSync(join(files, 'grub/x86_64-efi/command.lst'), 'ls: ls\n');
  assert.equal(read(files, '/grub/x86_64-efi/command.lst'), 'ls: ls\n');
  assert.equal(read(files, '/grub/x86_64-efi/fs.lst'), '');
  assert.equal(read(files, '/grub/x86_64-efi/normal.mod'), 'no such file');
});

test('a list that may not be read is refused, and no empty one put in its place', (t) => {
  const files = directory(t);
  mkdirSync(join(files, 'grub/x86_64-efi/fs.lst'), { recursive: true });
  assert.equal(read(files, '/grub/x86_64-efi/fs.lst'), 'not a regular file');
});

test('a file is found in another case', (t) => {
  const files = directory(t);
  mkdirSync(join(files, 'boot'));
  writeFileSync(join(files, 'boot/pxelinux.0'), 'pxelinux');
  assert.equal(read(files, '\\BOOT\\PXELINUX.0\u00ff'), 'pxelinux');
});
