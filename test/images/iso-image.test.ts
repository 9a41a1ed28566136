import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import type { PartOfFile } from '../../src/images/add-image.ts';
import { bootFilesOfIso } from '../../src/images/iso-image.ts';

const root = mkdtempSync(join(tmpdir(), 'rackboot-iso-'));
after(() => rmSync(root, { recursive: true }));
const SECTOR = 2048;

interface IsoFile {
  /** As it stands in the directory record: CASPER/VMLINUZ.;1 */
  readonly path: string;
  readonly rockRidge?: string;
  readonly content: string;
}

/** One directory with files in it, as ECMA-119 has them. */
function iso(directory: string, files: readonly IsoFile[], directoryRockRidge?: string): string {
  const sectors: Buffer[] = Array.from({ length: 20 }, () => Buffer.alloc(SECTOR));
  const [descriptor, end, rootSector, inner] = [16, 17, 18, 19];
  let next = 20;
  const records = files.map(({ path, rockRidge, content }) => {
    const data = Buffer.alloc(Math.ceil(content.length / SECTOR) * SECTOR);
    data.write(content);
    sectors.push(data);
    const made = record(path, next, content.length, 0, rockRidge);
    next += data.length / SECTOR;
    return made;
  });
  Buffer.concat(records).copy(sectors[inner] ?? Buffer.alloc(0));
  record(directory, inner, SECTOR, 2, directoryRockRidge).copy(sectors[rootSector] ?? Buffer.alloc(0));
  const head = sectors[descriptor] ?? Buffer.alloc(0);
  head[0] = 1;
  head.write('CD001', 1);
  record('\0', rootSector, SECTOR, 2).copy(head, 156);
  sectors[end]?.write('\u00ffCD001', 0, 'latin1');
  const file = join(mkdtempSync(join(root, 'x-')), 'x.iso');
  writeFileSync(file, Buffer.concat(sectors));
  return file;
}

function record(name: string, sector: number, size: number, flags: number, rockRidge?: string): Buffer {
  const pad = (name.length + 1) % 2;
  const system =
    rockRidge === undefined
      ? Buffer.alloc(0)
      : Buffer.from(`NM${String.fromCharCode(5 + rockRidge.length)}\u0001\0${rockRidge}`, 'latin1');
  const bytes = Buffer.alloc(33 + name.length + pad + system.length);
  bytes[0] = bytes.length;
  bytes.writeUInt32LE(sector, 2);
  bytes.writeUInt32LE(size, 10);
  bytes[25] = flags;
  bytes[32] = name.length;
  bytes.write(name, 33, 'latin1');
  system.copy(bytes, 33 + name.length + pad);
  return bytes;
}

function contentOf({ file, offset = 0, size = 0 }: PartOfFile): string {
  return readFileSync(file).toString('latin1', offset, offset + size);
}

const KERNEL = 'k'.repeat(3000);

test('kernel and initrd are found by the names of plain ISO 9660', () => {
  const file = iso('CASPER', [
    { path: 'VMLINUZ.;1', content: KERNEL },
    { path: 'INITRD.;1', content: 'initrd' },
  ]);
  const { kernel, initrd } = bootFilesOfIso(file);
  assert.deepEqual([contentOf(kernel), contentOf(initrd)], [KERNEL, 'initrd']);
});

test('and by those of Rock Ridge, where others have been cut', () => {
  const file = iso(
    'LIVE',
    [
      { path: 'INITRD00.IMG;1', rockRidge: 'initrd.img', content: 'initrd' },
      { path: 'VMLINUZ0.;1', rockRidge: 'vmlinuz', content: KERNEL },
    ],
    'live',
  );
  const { kernel, initrd } = bootFilesOfIso(file);
  assert.deepEqual([contentOf(kernel), contentOf(initrd)], [KERNEL, 'initrd']);
});

for (const [name, file, says] of [
  [
    'no kernel in it',
    iso('DOCS', [{ path: 'VMLINUZ.;1', content: 'k' }]),
    /expected a kernel and an initrd in it, found none/,
  ],
  ['a directory where the kernel should be', iso('casper', []), /expected a kernel and an initrd/],
  ['what is no ISO', writeIso(Buffer.alloc(40 * SECTOR)), /expected an ISO 9660 image, found something else/],
  ['directories that lead round in a circle', circle(), /expected a kernel and an initrd/],
] as const) {
  test(`refused: ${name}`, () => {
    assert.throws(() => bootFilesOfIso(file), { name: 'IsoError', message: says });
  });
}

function writeIso(bytes: Buffer): string {
  const file = join(mkdtempSync(join(root, 'x-')), 'x.iso');
  writeFileSync(file, bytes);
  return file;
}

/** The directory of the root is its own child, with records that reach past its end. */
function circle(): string {
  const file = iso('casper', []);
  const bytes = readFileSync(file);
  record('casper', 18, 2 ** 31, 2).copy(bytes, 18 * SECTOR);
  bytes[18 * SECTOR + 40] = 255;
  return writeIso(bytes);
}
