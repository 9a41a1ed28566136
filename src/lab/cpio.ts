/** One entry of an initramfs: a path without a leading slash, in an order where a directory comes before what is in it. */
export type CpioEntry =
  | { readonly kind: 'directory'; readonly path: string; readonly mode?: number }
  | { readonly kind: 'file'; readonly path: string; readonly bytes: Uint8Array; readonly mode?: number }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | { readonly kind: 'character'; readonly path: string; readonly major: number; readonly minor: number };

interface Header {
  readonly inode: number;
  readonly mode: number;
  readonly links: number;
  readonly size: number;
  readonly major: number;
  readonly minor: number;
  readonly nameSize: number;
}

const TYPE_DIRECTORY = 0o040000;
const TYPE_FILE = 0o100000;
const TYPE_SYMLINK = 0o120000;
const TYPE_CHARACTER = 0o020000;

/**
 * An archive in the "newc" form that Linux takes as initramfs (Documentation/driver-api/early-userspace/buffer-format.rst):
 * for each entry a header of 110 ASCII bytes, the name with NUL, the data; name and data each end on a multiple of four.
 */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const parts = entries.flatMap((entry, index) => entryParts(entry, index + 1));
  return Buffer.concat([...parts, ...trailer()]);
}

function entryParts(entry: CpioEntry, inode: number): Buffer[] {
  const name = Buffer.from(`${entry.path}\0`);
  const data = dataOf(entry);
  const node = entry.kind === 'character' ? entry : { major: 0, minor: 0 };
  const header = headerText({
    inode,
    mode: modeOf(entry),
    links: entry.kind === 'directory' ? 2 : 1,
    size: data.length,
    major: node.major,
    minor: node.minor,
    nameSize: name.length,
  });
  return [padded(Buffer.concat([header, name])), padded(data)];
}

function modeOf(entry: CpioEntry): number {
  switch (entry.kind) {
    case 'directory':
      return TYPE_DIRECTORY | (entry.mode ?? 0o755);
    case 'file':
      return TYPE_FILE | (entry.mode ?? 0o644);
    case 'symlink':
      return TYPE_SYMLINK | 0o777;
    case 'character':
      return TYPE_CHARACTER | 0o600;
  }
}

function dataOf(entry: CpioEntry): Buffer {
  if (entry.kind === 'file') return Buffer.from(entry.bytes);
  return Buffer.from(entry.kind === 'symlink' ? entry.target : '');
}

/** Thirteen numbers of eight hex digits: all owned by root, dated 1970, so that the same input gives the same bytes. */
function headerText(header: Header): Buffer {
  const { inode, mode, links, size, major, minor, nameSize } = header;
  const fields = [inode, mode, 0, 0, links, 0, size, 0, 0, major, minor, nameSize, 0];
  return Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
}

function trailer(): Buffer[] {
  const name = Buffer.from('TRAILER!!!\0');
  const header = headerText({ inode: 0, mode: 0, links: 1, size: 0, major: 0, minor: 0, nameSize: name.length });
  return [padded(Buffer.concat([header, name]))];
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes], Math.ceil(bytes.length / 4) * 4);
}
