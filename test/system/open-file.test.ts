import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { openServedFile } from '../../src/system/open-file.ts';

const top = mkdtempSync(join(tmpdir(), 'rackboot-open-'));
const root = join(top, 'files');
mkdirSync(join(root, 'dir'), { recursive: true });
mkdirSync(join(top, 'files-of-others'));
writeFileSync(join(root, 'dir/f'), 'hello');
writeFileSync(join(top, 'secret'), 'secret');
writeFileSync(join(top, 'files-of-others/f'), 'theirs');
symlinkSync('dir/f', join(root, 'inside'));
symlinkSync('../secret', join(root, 'outside'));
symlinkSync('../files-of-others/f', join(root, 'neighbour'));
symlinkSync('..', join(root, 'up'));
symlinkSync('loop', join(root, 'loop'));
symlinkSync('nowhere', join(root, 'dangling'));
symlinkSync('files', join(top, 'link-to-root'));
execFileSync('/usr/bin/mkfifo', [join(root, 'fifo')]);

after(() => rmSync(top, { recursive: true }));

function contentOf(directory: string, path: string, instead?: string): string {
  const opened = openServedFile(directory, path, instead);
  if ('refused' in opened) return `${opened.because}: ${opened.refused}`;
  const content = readFileSync(opened.fd, 'utf8');
  closeSync(opened.fd);
  return content;
}

describe('opening a served file', () => {
  it('takes another in its place where it is not there, and from inside only', () => {
    const there = join(root, 'dir/f');
    assert.equal(contentOf(root, join(root, 'away'), there), 'hello');
    assert.equal(contentOf(root, join(root, 'dir/f/below'), there), 'hello');
    assert.match(contentOf(root, join(root, 'away'), join(root, 'outside')), /^forbidden/);
    // What is there and not to be had is no reason to give something else
    assert.match(contentOf(root, join(root, 'outside'), there), /^forbidden/);
  });

  const CASES: readonly (readonly [string, string])[] = [
    ['dir/f', 'hello'],
    ['inside', 'hello'],
    ['up/files/dir/f', 'hello'],
    ['nothing', 'missing: no such file'],
    ['dangling', 'missing: no such file'],
    ['dir/f/x', 'missing: no such file'],
    ['a\0b', 'missing: no such file'],
    ['x'.repeat(300), 'missing: no such file'],
    ['dir', 'forbidden: not a regular file'],
    ['fifo', 'forbidden: not a regular file'],
    ['../secret', 'forbidden: the file lies outside the served directory'],
    ['outside', 'forbidden: the file lies outside the served directory'],
    ['neighbour', 'forbidden: the file lies outside the served directory'],
    ['up/secret', 'forbidden: the file lies outside the served directory'],
    ['loop', 'forbidden: cannot be opened (ELOOP)'],
  ];
  for (const [path, expected] of CASES) {
    it(`${JSON.stringify(path.slice(0, 20))} gives "${expected}"`, () => {
      assert.equal(contentOf(root, `${root}/${path}`), expected);
    });
  }

  it('allows a named file wherever its link leads, and still only a regular one', () => {
    const outside = join(root, 'outside');
    assert.equal(contentOf(outside, outside), 'secret');
    const up = join(root, 'up');
    assert.equal(contentOf(up, up), 'forbidden: not a regular file');
  });

  it('takes a root that is a link itself, and the root of everything', () => {
    assert.equal(contentOf(join(top, 'link-to-root'), join(top, 'link-to-root/dir/f')), 'hello');
    assert.equal(contentOf('/', join(root, 'dir/f')), 'hello');
  });

  it('tells size and time', () => {
    const opened = openServedFile(root, join(root, 'dir/f'));
    assert.ok('fd' in opened);
    closeSync(opened.fd);
    assert.equal(opened.size, 5);
    assert.ok(opened.mtimeMs > 0);
  });
});
