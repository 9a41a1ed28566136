import assert from 'node:assert/strict';
import {
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  closeSync,
  rmSync,
  statfsSync,
  writeFileSync,
  readSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { FileShelf } from '../../src/images/file-shelf.ts';
import { sha256 } from './streams/stream-fixture.ts';

const root = mkdtempSync(join(tmpdir(), 'rackboot-shelf-'));
after(() => rmSync(root, { recursive: true }));

function newShelf(): FileShelf {
  const shelf = new FileShelf(mkdtempSync(join(root, 'state-')));
  shelf.prepare();
  return shelf;
}

async function put(shelf: FileShelf, content: string): Promise<string> {
  const sum = sha256(content);
  const handle = await shelf.openPart(sum);
  await handle.writeFile(content);
  await shelf.publish(sum, handle);
  await handle.close();
  return sum;
}

test('what is removed while someone has it open is whole for who has it', async () => {
  const shelf = newShelf();
  const sum = await put(shelf, 'kernel');
  const fd = openSync(shelf.pathOf(sum), 'r');
  shelf.remove(sum);
  assert.equal(existsSync(shelf.pathOf(sum)), false);
  const bytes = Buffer.alloc(6);
  readSync(fd, bytes, 0, 6, 0);
  closeSync(fd);
  assert.equal(bytes.toString(), 'kernel');
});

test('a file is there when it has its size, and what is quarantined is not', async () => {
  const shelf = newShelf();
  const sum = await put(shelf, 'kernel');
  assert.equal(shelf.has({ sha256: sum, size: 6 }), true);
  assert.equal(shelf.has({ sha256: sum, size: 7 }), false);
  const place = shelf.quarantine(sum);
  assert.equal(readFileSync(place, 'utf8'), 'kernel');
  assert.deepEqual(shelf.list(), []);
});

test('only names that are checksums are files of it', () => {
  const shelf = newShelf();
  writeFileSync(join(shelf.whole, 'README'), 'x');
  assert.deepEqual(shelf.list(), []);
  assert.deepEqual(new FileShelf(join(root, 'nowhere')).list(), []);
});

test('room is what is free less what leases need, and a demand for more is told with both', () => {
  const shelf = newShelf();
  const { bavail, bsize } = statfsSync(shelf.whole);
  shelf.demand(1);
  assert.throws(() => shelf.demand(bavail * bsize + 1), {
    name: 'DiskFullError',
    message: /^.*\/images: no room: \d+ MB needed, \d+ MB free besides the \d+ MB that leases keep$/,
  });
  assert.throws(() => shelf.demand(bavail * bsize - 1024), { name: 'DiskFullError' });
});
