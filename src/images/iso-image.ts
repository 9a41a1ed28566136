import { closeSync, openSync, readSync } from 'node:fs';

import type { PartOfFile } from './add-image.ts';
import { demandFile } from './demand-file.ts';

/** ECMA-119 (ISO 9660): logical sectors, the first volume descriptor and what it begins with. */
const SECTOR = 2048;
const FIRST_DESCRIPTOR = 16;
const IDENTIFIER = 'CD001';
const PRIMARY = 1;
const DIRECTORY_FLAG = 2;
const MOST_DESCRIPTORS = 64;
const LARGEST_DIRECTORY = 1024 * 1024;

/** Where systems have what they boot from a network: kernel, and the names its initrd may have. */
const PLACES: readonly (readonly [kernel: string, ...initrds: string[]])[] = [
  ['casper/vmlinuz', 'casper/initrd', 'casper/initrd.gz', 'casper/initrd.lz'],
  ['casper/vmlinuz.efi', 'casper/initrd.lz', 'casper/initrd'],
  ['live/vmlinuz', 'live/initrd.img', 'live/initrd'],
  ['install.amd/vmlinuz', 'install.amd/initrd.gz'],
  ['install.a64/vmlinuz', 'install.a64/initrd.gz'],
  ['install/vmlinuz', 'install/initrd.gz'],
  ['images/pxeboot/vmlinuz', 'images/pxeboot/initrd.img'],
  ['isolinux/vmlinuz', 'isolinux/initrd.img', 'isolinux/initrd.gz'],
  ['boot/x86_64/loader/linux', 'boot/x86_64/loader/initrd'],
  ['boot/aarch64/linux', 'boot/aarch64/initrd'],
  ['arch/boot/x86_64/vmlinuz-linux', 'arch/boot/x86_64/initramfs-linux.img'],
  ['boot/vmlinuz-lts', 'boot/initramfs-lts'],
  ['boot/vmlinuz', 'boot/initrd', 'boot/initrd.img', 'boot/initrd.gz'],
];

/** What is no ISO, or has nothing in it that boots. */
class IsoError extends Error {
  override readonly name = 'IsoError';
}

interface Extent {
  /** Bytes. */
  readonly offset: number;
  readonly size: number;
}

interface Entry extends Extent {
  /** Lower case, without the version that ISO 9660 writes behind it. */
  readonly name: string;
  readonly isDirectory: boolean;
}

/** The kernel and initrd in an ISO, as parts of it. Throws IsoError, or what the disk says. */
export function bootFilesOfIso(file: string): { readonly kernel: PartOfFile; readonly initrd: PartOfFile } {
  demandFile(file);
  const fd = openSync(file, 'r');
  try {
    const root = rootOf(fd, file);
    for (const [kernelPath, ...initrdPaths] of PLACES) {
      const kernel = find(fd, root, kernelPath);
      const initrd = initrdPaths.map((path) => find(fd, root, path)).find((found) => found !== undefined);
      if (kernel && initrd) return { kernel: { file, ...kernel }, initrd: { file, ...initrd } };
    }
  } finally {
    closeSync(fd);
  }
  const looked = PLACES.map(([kernel]) => kernel).join(', ');
  throw new IsoError(`${file}: expected a kernel and an initrd in it, found none (looked for ${looked})`);
}

function rootOf(fd: number, file: string): Extent {
  for (let i = 0; i < MOST_DESCRIPTORS; i++) {
    const descriptor = read(fd, { offset: (FIRST_DESCRIPTOR + i) * SECTOR, size: SECTOR });
    if (descriptor.length < SECTOR || descriptor.toString('latin1', 1, 6) !== IDENTIFIER) break;
    if (descriptor[0] === PRIMARY) return extentOf(descriptor.subarray(156, 190));
  }
  throw new IsoError(`${file}: expected an ISO 9660 image, found something else`);
}

/** Case does not matter: without Rock Ridge, names are in capitals. */
function find(fd: number, root: Extent, path: string): Extent | undefined {
  let place: Extent = root;
  const segments = path.split('/');
  for (const [i, segment] of segments.entries()) {
    const isLast = i === segments.length - 1;
    const entry = entriesOf(fd, place).find(({ name, isDirectory }) => name === segment && isDirectory !== isLast);
    if (!entry) return undefined;
    place = entry;
  }
  return { offset: place.offset, size: place.size };
}

/** Records do not cross sectors: what is left of one is filled with zeros (§6.8.1.1). */
function entriesOf(fd: number, { offset, size }: Extent): Entry[] {
  const bytes = read(fd, { offset, size: Math.min(size, LARGEST_DIRECTORY) });
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes[at] ?? 0;
    if (length === 0) {
      at = (Math.floor(at / SECTOR) + 1) * SECTOR;
      continue;
    }
    const record = bytes.subarray(at, at + length);
    if (record.length >= 34) entries.push(entryOf(record));
    at += length;
  }
  return entries;
}

function entryOf(record: Buffer): Entry {
  const nameLength = record[32] ?? 0;
  const plain = record
    .toString('latin1', 33, 33 + nameLength)
    .replace(/;\d+$/, '')
    .replace(/\.$/, '');
  // The system use area begins at an even place (§9.1.12)
  const rockRidge = rockRidgeName(record.subarray(33 + nameLength + ((nameLength + 1) % 2)));
  return {
    ...extentOf(record),
    name: (rockRidge ?? plain).toLowerCase(),
    isDirectory: ((record[25] ?? 0) & DIRECTORY_FLAG) !== 0,
  };
}

/** IEEE P1282 NM: the name as it was on the disk it was made from. */
function rockRidgeName(area: Buffer): string | undefined {
  let name: string | undefined;
  for (let at = 0; at + 4 < area.length;) {
    const length = area[at + 2] ?? 0;
    if (length < 4) break;
    if (area.toString('latin1', at, at + 2) === 'NM') name = (name ?? '') + area.toString('utf8', at + 5, at + length);
    at += length;
  }
  return name;
}

/** Both numbers stand there twice; here by their little-endian form. */
function extentOf(record: Buffer): Extent {
  return { offset: record.readUInt32LE(2) * SECTOR, size: record.readUInt32LE(10) };
}

function read(fd: number, { offset, size }: Extent): Buffer {
  const bytes = Buffer.alloc(size);
  return bytes.subarray(0, readSync(fd, bytes, 0, size, offset));
}
