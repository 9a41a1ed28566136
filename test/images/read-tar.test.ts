import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readTar } from '../../src/images/read-tar.ts';

const BLOCK = 512;

/** One member as ustar has it. */
function member(name: string, content: string, type = '0', size = content.length): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(name.slice(0, 100), 0, 'latin1');
  header.write('0000644\0', 100);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write(' '.repeat(8), 148);
  header.write(type, 156);
  header.write('ustar\u000000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const data = Buffer.alloc(Math.ceil(content.length / BLOCK) * BLOCK);
  data.write(content, 'latin1');
  return Buffer.concat([header, data]);
}

const END = Buffer.alloc(2 * BLOCK);
const namesIn = (...members: Buffer[]) =>
  readTar(Buffer.concat([...members, END]), 'x').map(({ name, content }) => [name, Buffer.from(content).toString()]);

test('the files of an archive come by the last part of their paths, wherever they lay', () => {
  assert.deepEqual(
    namesIn(
      member('./usr/lib/grubx64.efi', 'GRUB'),
      member('../../../etc/shadow', 'no'),
      member('/bootx64.efi', 'SHIM'),
    ),
    [
      ['grubx64.efi', 'GRUB'],
      ['shadow', 'no'],
      ['bootx64.efi', 'SHIM'],
    ],
  );
});

test('directories, links and devices are passed over', () => {
  assert.deepEqual(
    namesIn(member('dir/', '', '5'), member('link', '', '2'), member('tty', '', '3'), member('a', 'x')),
    [['a', 'x']],
  );
});

test('long names come ahead of their files, in the way of GNU and of POSIX', () => {
  const path = `${'d/'.repeat(80)}long.efi`;
  const record = ` path=${path}\n`;
  const length = record.length + String(record.length + 3).length;
  assert.deepEqual(namesIn(member('././@LongLink', `${path}\0`, 'L'), member(path, 'g')), [['long.efi', 'g']]);
  assert.deepEqual(namesIn(member('pax', `${length}${record}`, 'x'), member('short', 'p')), [['long.efi', 'p']]);
});

for (const [name, bytes, says] of [
  ['something else', Buffer.alloc(BLOCK, 'x'), /expected a tar archive, found something else at byte 0/],
  ['a file that is longer than the archive', member('a', 'x', '0', 5_000), /something else at byte 0/],
  ['a size without end', member('a', 'x', '0', 2 ** 33 - 1), /something else at byte 0/],
  ['a header that was changed', Buffer.concat([member('a', 'x').fill('z', 0, 1), END]), /something else at byte 0/],
  ['a name with a control character', Buffer.concat([member('a\nb', 'x'), END]), /expected names of letters/],
  ['a name that climbs', Buffer.concat([member('a/..', 'x'), END]), /expected names of letters/],
  [
    'files without end',
    Buffer.concat([...Array.from({ length: 1_002 }, (_, i) => member(`f${i}`, '')), END]),
    /at most 1000 files/,
  ],
] as const) {
  test(`refused: ${name}`, () => {
    assert.throws(() => readTar(bytes, 'x'), { name: 'StreamError', message: says });
  });
}

test('an archive without an end, and one of nothing, are what they are', () => {
  assert.deepEqual(readTar(Buffer.alloc(0), 'x'), []);
  assert.deepEqual(
    readTar(member('a', 'x'), 'x').map(({ name }) => name),
    ['a'],
  );
});
