import { filesOfEntry } from '../boot/entry-files.ts';
import type { VersionMark } from '../images/image-store.ts';
import type { BootEntry } from '../plan/plan.ts';
import { shelvedFile, type StoredImage } from '../plan/stored-image.ts';

/** Whether an operator means this image by "ubuntu/noble", "ubuntu/noble/amd64" or more of what `rackboot images` lists. */
export function isNamed({ os, release, arch, subarch, label, version }: StoredImage, name: string): boolean {
  return beginsSo([os, release, arch, subarch, label, version], name);
}

/** The same, of one that was here once. */
export function isMarkNamed({ image, version }: VersionMark, name: string): boolean {
  const [os, release, arch, subarch, , label] = image.split('/');
  return beginsSo([os, release, arch, subarch, label, version], name);
}

function beginsSo(own: readonly (string | undefined)[], name: string): boolean {
  const words = name.split('/');
  return words.length >= 2 && words.length <= own.length && words.every((word, i) => word === own[i]);
}

/** Whether a boot entry is made of files of these versions. */
export function namedBy(entry: BootEntry, rows: readonly StoredImage[], shelf: string): boolean {
  const files = new Set(rows.flatMap((row) => row.files.map(({ sha256 }) => shelvedFile(shelf, sha256))));
  return filesOfEntry(entry).some(({ file }) => files.has(file));
}
