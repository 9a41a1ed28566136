import assert from 'node:assert/strict';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';

import * as fc from 'fast-check';

import { CaseFinder } from '../../src/system/case-finder.ts';
import { openServedFile } from '../../src/system/open-file.ts';

const LONG_AGO = new Date('2001-01-01');

/** A directory `files` with these files and links (`-> target`), beside a file `secret`. */
function tree(t: TestContext, entries: Readonly<Record<string, string>>): string {
  const top = mkdtempSync(join(tmpdir(), 'rackboot-case-'));
  t.after(() => rmSync(top, { recursive: true }));
  const root = join(top, 'files');
  mkdirSync(root);
  writeFileSync(join(top, 'secret'), 'secret');
  for (const [path, content] of Object.entries(entries)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    if (content.startsWith('-> ')) symlinkSync(content.slice(3), join(root, path));
    else writeFileSync(join(root, path), content);
  }
  return root;
}

function contentOf(root: string, path: string, finder = new CaseFinder()): string {
  const opened = openServedFile(root, `${root}/${path}`, finder);
  if ('refused' in opened) return opened.because;
  try {
    return readFileSync(opened.fd, 'utf8');
  } finally {
    closeSync(opened.fd);
  }
}

describe('a file asked for in another case', () => {
  const ENTRIES = {
    'boot/pxelinux.0': 'pxelinux',
    'EFI/Boot/grubx64.efi': 'grub',
    'both/A': 'upper',
    'both/a': 'lower',
    'both/B': 'only B',
    'Same/x': 'x of Same',
    'same/y': 'y of same',
    'straße/ÄÖ.bin': 'umlauts',
    out: '-> ../secret',
    up: '-> ..',
    into: '-> boot',
    dangling: '-> nowhere',
  };
  const CASES: readonly (readonly [string, string])[] = [
    ['BOOT/PXELINUX.0', 'pxelinux'],
    ['boot/PXElinux.0', 'pxelinux'],
    ['efi/boot/GRUBX64.EFI', 'grub'],
    ['INTO/PXELINUX.0', 'pxelinux'],
    ['both/A', 'upper'],
    ['both/a', 'lower'],
    ['BOTH/b', 'only B'],
    ['STRAßE/äö.BIN', 'umlauts'],
    // A directory that is there as written is the one that is meant; of others the first in code-unit order
    ['same/Y', 'y of same'],
    ['same/x', 'missing'],
    ['SAME/X', 'x of Same'],
    ['SAME/Y', 'missing'],
    ['BOOT', 'forbidden'],
    ['BOOT/', 'forbidden'],
    ['BOOT/none', 'missing'],
    ['BOOT/PXELINUX.0/x', 'missing'],
    ['OUT', 'forbidden'],
    ['UP/SECRET', 'missing'],
    ['UP/secret', 'forbidden'],
    ['DANGLING', 'missing'],
    ['X'.repeat(300), 'missing'],
    [`${'A/'.repeat(20)}b`, 'missing'],
  ];
  it('is found, segment by segment, inside the directory only', (t) => {
    const root = tree(t, ENTRIES);
    const finder = new CaseFinder();
    for (const [path, expected] of CASES) assert.equal(contentOf(root, path, finder), expected, path);
    for (const [path, expected] of CASES) assert.equal(contentOf(root, path), expected, `${path}, asked first`);
  });

  it('is found at once when it comes, and gone when it goes, whatever was kept in mind', (t) => {
    const root = tree(t, { 'dir/other': '' });
    const finder = new CaseFinder();
    utimesSync(join(root, 'dir'), LONG_AGO, LONG_AGO);
    assert.equal(contentOf(root, 'dir/NEW', finder), 'missing');
    writeFileSync(join(root, 'dir/new'), 'new');
    assert.equal(contentOf(root, 'dir/NEW', finder), 'new');
    rmSync(join(root, 'dir/new'));
    assert.equal(contentOf(root, 'dir/NEW', finder), 'missing');
  });

  it('is looked for in a directory that just changed within a tenth of a second, though its time stays the same', (t) => {
    const root = tree(t, { 'dir/other': '' });
    let now = Date.now();
    const finder = new CaseFinder(() => now);
    const time = new Date(now - 500);
    utimesSync(join(root, 'dir'), time, time);
    assert.equal(contentOf(root, 'dir/NEW', finder), 'missing');
    writeFileSync(join(root, 'dir/new'), 'new');
    utimesSync(join(root, 'dir'), time, time);
    assert.equal(contentOf(root, 'dir/NEW', finder), 'missing');
    now += 100;
    assert.equal(contentOf(root, 'dir/NEW', finder), 'new');
  });

  it('is not looked for in a directory of very many', (t) => {
    const root = tree(t, { few: '' });
    for (let i = 0; i < 1024; i++) writeFileSync(join(root, `file-${i}`), 'x');
    assert.equal(contentOf(root, 'FILE-7'), 'missing');
    assert.equal(contentOf(root, 'file-7'), 'x');
    rmSync(join(root, 'few'));
    assert.equal(contentOf(root, 'FILE-7'), 'x');
  });

  it('costs no reading of a directory that did not change, however many names are asked for', (t) => {
    const root = tree(t, { 'dir/other': '' });
    const finder = new CaseFinder();
    utimesSync(join(root, 'dir'), LONG_AGO, LONG_AGO);
    assert.equal(contentOf(root, 'dir/NONE', finder), 'missing');
    writeFileSync(join(root, 'dir/new'), 'new');
    // As if nothing had happened, so that only a reading could tell
    utimesSync(join(root, 'dir'), LONG_AGO, LONG_AGO);
    for (let i = 0; i < 100; i++) assert.equal(contentOf(root, `dir/NONE-${i}`, finder), 'missing');
    assert.equal(contentOf(root, 'dir/NEW', finder), 'missing');
    assert.equal(contentOf(root, 'dir/NEW'), 'new');
  });
});

describe('whatever is on disk and whatever is asked', () => {
  const SEGMENTS = [
    'a',
    'A',
    'b',
    'B',
    'é',
    'É',
    '..',
    '.',
    '',
    'a b',
    '\u0130',
    'ſ',
    'K',
    'a\nb',
    '%2e%2e',
    '..a',
    '~',
  ];
  const LINKS = ['..', '../..', '/', '../secret', '../../secret', '/etc/passwd', 'a', 'A/b', '.', 'loop'];
  const name = fc.constantFrom(...SEGMENTS.filter((each) => !['', '.', '..'].includes(each)), 'loop');
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
  const trees = fc.array(fc.tuple(path, fc.oneof(fc.constant('file'), fc.constantFrom(...LINKS))), { maxLength: 12 });
  const asked = fc.array(fc.constantFrom(...SEGMENTS, 'secret', 'SECRET', 'etc', 'PASSWD'), { maxLength: 5 });

  it('only files of the directory come out, and always the same', { timeout: 60_000 }, (t) => {
    const top = mkdtempSync(join(tmpdir(), 'rackboot-hostile-'));
    t.after(() => rmSync(top, { recursive: true }));
    writeFileSync(join(top, 'secret'), 'secret');
    const root = join(top, 'files');
    fc.assert(
      fc.property(trees, fc.array(asked, { minLength: 1, maxLength: 20 }), (entries, questions) => {
        rmSync(root, { recursive: true, force: true });
        mkdirSync(root);
        for (const [at, what] of entries) put(root, at, what);
        const finder = new CaseFinder();
        for (const segments of questions) {
          const got = contentOf(root, segments.join('/'), finder);
          assert.ok(['missing', 'forbidden', 'inside'].includes(got), got);
          assert.equal(contentOf(root, segments.join('/')), got);
        }
      }),
      { seed: 20261122, numRuns: 150 },
    );
  });
});

/** Puts a file or link there, unless something is in the way. */
function put(root: string, at: string, what: string): void {
  try {
    mkdirSync(dirname(join(root, at)), { recursive: true });
    if (what === 'file') writeFileSync(join(root, at), 'inside', { flag: 'wx' });
    else symlinkSync(what, join(root, at));
  } catch (error) {
    assert.ok(error instanceof Error);
  }
}
