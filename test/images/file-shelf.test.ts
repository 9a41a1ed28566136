import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  closeSync,
  readdirSync,
  rmSync,
  writeFileSync,
  readSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';

import { DiskRoom } from '../../src/images/disk-room.ts';
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
  await using part = await shelf.openPart(sum);
  await part.handle.writeFile(content);
  await part.publish({ size: content.length });
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

test('a part has one writer, and another one when that is done with it', async () => {
  const shelf = newShelf();
  const sum = sha256('kernel');
  {
    await using part = await shelf.openPart(sum);
    await part.handle.writeFile('ker');
    await assert.rejects(shelf.openPart(sum), { name: 'ShelfError', message: /is being fetched already$/ });
    assert.equal(shelf.isHeld(sum), true);
  }
  assert.equal(shelf.isHeld(sum), false);
  await using next = await shelf.openPart(sum);
  assert.equal((await next.handle.readFile()).toString(), 'ker');
});

for (const [name, content] of [
  ['shorter', 'kerne'],
  ['longer', 'kernel and more'],
] as const) {
  test(`what is ${name} than it should be does not get on the shelf, and is not gone on with`, async () => {
    const shelf = newShelf();
    const sum = sha256('kernel');
    await using part = await shelf.openPart(sum);
    await part.handle.writeFile(content);
    await assert.rejects(part.publish({ size: 6 }), { name: 'ShelfError', message: /expected 6 bytes, found \d+$/ });
    assert.deepEqual([shelf.list(), shelf.parts()], [[], []]);
  });
}

test('many who put the same at once put it there whole', async () => {
  const shelf = newShelf();
  const bytes = Buffer.alloc(3_000_000, 'GRUB');
  const found = await Promise.all(Array.from({ length: 8 }, () => shelf.put(bytes)));
  assert.deepEqual(new Set(found.map((each) => each.sha256)), new Set([sha256(bytes)]));
  assert.ok(readFileSync(shelf.pathOf(sha256(bytes))).equals(bytes));
  assert.deepEqual(readdirSync(join(shelf.whole, '../partial')), []);
});

test('what there is no room for is not put, and leaves nothing behind', async () => {
  const state = mkdtempSync(join(root, 'state-'));
  const shelf = new FileShelf(state, new DiskRoom('/images', () => ({ bavail: 5, blocks: 5, bsize: 1 })));
  shelf.prepare();
  await assert.rejects(shelf.put(Buffer.from('kernel')), { name: 'DiskFullError' });
  assert.deepEqual([shelf.list(), readdirSync(join(shelf.whole, '../partial'))], [[], []]);
});

test('what is held is so until it is let go of', () => {
  const shelf = newShelf();
  const hold = shelf.hold();
  hold.add('a', 'b');
  assert.equal(shelf.isHeld('b'), true);
  hold[Symbol.dispose]();
  assert.equal(shelf.isHeld('b'), false);
});

test('what a kill left behind is known by its name; parts that are gone on with and files of others are not of it', () => {
  const shelf = newShelf();
  const part = sha256('part');
  const left = [`adding-${randomUUID()}`, `unpacking-${randomUUID()}`, `${sha256('gone')}.from`];
  for (const name of [...left, part, `${part}.from`, 'README'])
    writeFileSync(join(shelf.whole, '../partial', name), 'x');
  assert.deepEqual(
    shelf
      .leftovers()
      .map(({ path }) => basename(path))
      .toSorted(),
    left.toSorted(),
  );
});
