import { posix } from 'node:path';

/** One version of an image, of which every file is here and was checked. */
export interface StoredImage {
  readonly os: string;
  readonly release: string;
  /** As Debian and Ubuntu call it: amd64, arm64, armhf. */
  readonly arch: string;
  /** The kernel it comes with: ga-24.04, generic; '' of a loader. */
  readonly subarch: string;
  /** All that this kernel will do for, its own name among them. */
  readonly subarches: readonly string[];
  readonly kflavor: string;
  readonly label: string;
  readonly version: string;
  readonly files: readonly StoredFile[];
}

/** A file of it; its content is what its name on disk says, for ever. */
export interface StoredFile {
  /** boot-kernel, squashfs; of a loader the name it is fetched by. */
  readonly name: string;
  /** What it is: boot-kernel, boot-initrd, boot-dtb, squashfs, root-image.gz, iso, loader, archive.tar.xz … */
  readonly ftype: string;
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/** The directory whose files are each called by their sha256, in a rack's state. */
export function imageShelf(state: string): string {
  return posix.join(state, 'images', 'sha256');
}

/** Where such a file is on disk. */
export function shelvedFile(shelf: string, sha256: string): string {
  return posix.join(shelf, sha256);
}

/** The path that machines fetch it by, relative. */
export function shelvedPath({ sha256, name }: Pick<StoredFile, 'sha256' | 'name'>): string {
  return `images/${sha256}/${name}`;
}
