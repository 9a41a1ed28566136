import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { writeCpio } from '../../src/lab/cpio.ts';

interface ReadEntry {
  readonly name: string;
  readonly mode: number;
  readonly links: number;
  readonly device: readonly [number, number];
  readonly data: string;
}

/** A reader of its own mind: fixed columns of the header, as the kernel's document draws them. */
function readCpio(archive: Uint8Array): ReadEntry[] {
  const bytes = Buffer.from(archive);
  const entries: ReadEntry[] = [];
  let at = 0;
  while (at < bytes.length) {
    assert.equal(at % 4, 0, `the header at ${at} is aligned`);
    assert.equal(bytes.toString('latin1', at, at + 6), '070701');
    const start = at;
    const field = (column: number): number =>
      Number.parseInt(bytes.toString('latin1', start + 6 + column * 8, start + 14 + column * 8), 16);
    const nameEnd = at + 110 + field(11);
    const dataStart = Math.ceil(nameEnd / 4) * 4;
    entries.push({
      name: bytes.toString('utf8', at + 110, nameEnd - 1),
      mode: field(1),
      links: field(4),
      device: [field(9), field(10)],
      data: bytes.toString('utf8', dataStart, dataStart + field(6)),
    });
    assert.equal(bytes[nameEnd - 1], 0, 'the name ends with NUL');
    at = Math.ceil((dataStart + field(6)) / 4) * 4;
  }
  return entries;
}

describe('writeCpio', () => {
  it('writes a header of fixed columns, the name and the data, each padded to four bytes', () => {
    const archive = Buffer.from(writeCpio([{ kind: 'file', path: 'ab', bytes: Buffer.from('hello') }]));
    const [zero, one] = ['00000000', '00000001'];
    const [mode, size, nameSize] = ['000081a4', '00000005', '00000003'];
    const fields = [one, mode, zero, zero, one, zero, size, zero, zero, zero, zero, nameSize, zero];
    const header = `070701${fields.join('')}`;
    assert.equal(archive.toString('latin1', 0, 124), `${header}ab\0\0\0\0hello\0\0\0`.slice(0, 124));
    assert.equal(archive.toString('latin1', 124, 130), '070701', 'the trailer follows on a multiple of four');
  });

  it('gives back what was put in, whatever the length of name and data', () => {
    const files = Array.from({ length: 9 }, (_, length) => ({
      kind: 'file' as const,
      path: 'n'.repeat(length + 1),
      bytes: Buffer.from('d'.repeat(length)),
      mode: 0o755,
    }));
    const read = readCpio(writeCpio(files));
    assert.deepEqual(
      read.slice(0, -1).map(({ name, mode, data }) => [name, mode, data]),
      files.map(({ path, bytes }) => [path, 0o100755, bytes.toString()]),
    );
  });

  it('writes directories, symbolic links and character devices as such', () => {
    const read = readCpio(
      writeCpio([
        { kind: 'directory', path: 'dev' },
        { kind: 'character', path: 'dev/console', major: 5, minor: 1 },
        { kind: 'symlink', path: 'sh', target: '/bin/busybox' },
      ]),
    );
    assert.deepEqual(read, [
      { name: 'dev', mode: 0o040755, links: 2, device: [0, 0], data: '' },
      { name: 'dev/console', mode: 0o020600, links: 1, device: [5, 1], data: '' },
      { name: 'sh', mode: 0o120777, links: 1, device: [0, 0], data: '/bin/busybox' },
      { name: 'TRAILER!!!', mode: 0, links: 1, device: [0, 0], data: '' },
    ]);
  });

  it('gives each entry an inode of its own, so that none is taken for a hard link', () => {
    const archive = Buffer.from(writeCpio(['a', 'b'].map((path) => ({ kind: 'directory', path }))));
    assert.notEqual(archive.toString('latin1', 6, 14), archive.toString('latin1', 112 + 6, 112 + 14));
  });
});
