import { byPreference, kernelFor } from './image-choice.ts';
import type { LoaderSet } from './loader-set.ts';
import type { BootFile, BootFiles } from './plan.ts';
import { imageShelf, shelvedFile, shelvedPath, type StoredFile, type StoredImage } from './stored-image.ts';
import type { Surroundings } from './surroundings.ts';

/** An image as a boot entry names it. `subarch`: one of its kernels; absent: the one that its release came with. */
export interface ImageName {
  readonly os: string;
  readonly release: string;
  readonly subarch?: string | undefined;
}

/** The images that are here whole, the best first, and where their files are. */
export interface StoredImages {
  readonly shelf: string;
  readonly images: readonly StoredImage[];
}

/** Stands for the URL of the root file of an image, or of its ISO. */
const ROOT_VARIABLE = '${root}';
/** What is not fetched by a loader, but by what it starts. */
const ROOT_KINDS: ReadonlySet<string> = new Set(['squashfs', 'root-image.gz', 'iso']);

/** Only what is whole now: a file that `images verify` took away, or that has another length, takes its version with it. */
export function storedImages(state: string, surroundings: Surroundings): StoredImages {
  const shelf = imageShelf(state);
  const isWhole = ({ sha256, size }: StoredFile): boolean => {
    const file = shelvedFile(shelf, sha256);
    return surroundings.fileSize ? surroundings.fileSize(file) === size : surroundings.fileExists(file);
  };
  const whole = (surroundings.images?.(state) ?? []).filter(({ files }) => files.every(isWhole));
  return { shelf, images: whole.toSorted(byPreference) };
}

/** What machines of this architecture are given of an image; undefined when there is none for them that boots. */
export function bootFilesOf(
  { shelf, images }: StoredImages,
  { os, release, subarch }: ImageName,
  arch: string,
  cmdline: string,
): BootFiles | undefined {
  const bootable = images.filter((image) => {
    const isNamed = image.os === os && image.release === release && image.arch === arch;
    return isNamed && image.files.some(({ ftype }) => ftype === 'boot-kernel');
  });
  const image = kernelFor(subarch ?? 'generic', bootable) ?? (subarch === undefined ? bootable[0] : undefined);
  const kernel = image?.files.find(({ ftype }) => ftype === 'boot-kernel');
  if (!image || !kernel) return undefined;
  const initrd = image.files.filter(({ ftype }) => ftype === 'boot-initrd');
  const dtb = image.files.find(({ ftype }) => ftype === 'boot-dtb');
  const root = image.files.find(({ ftype }) => isRoot(ftype));
  const words = [...ephemeralWords(image, root), cmdline].filter((word) => word !== '').join(' ');
  return {
    kernel: served(shelf, kernel),
    initrd: initrd.map((file) => served(shelf, file)),
    ...(dtb && { dtb: served(shelf, dtb) }),
    cmdline: root ? words.replaceAll(ROOT_VARIABLE, rootUrl(root)) : words,
  };
}

/** How MAAS's archives of loaders call what is served under another name: by their place on a disk (UEFI 2.10 §3.5.1.1). */
const SERVED_NAMES: ReadonlyMap<string, string> = new Map([
  ['bootx64.efi', 'shimx64.efi'],
  ['bootaa64.efi', 'shimaa64.efi'],
]);

/** The programs of each imported loader; the best first. */
export function importedLoaders({ shelf, images }: StoredImages): LoaderSet[] {
  const sets = images.map(({ files }) => {
    const programs = files.filter(({ ftype }) => ftype === 'loader');
    return new Map(
      programs.toReversed().map(({ name, sha256 }) => [SERVED_NAMES.get(name) ?? name, shelvedFile(shelf, sha256)]),
    );
  });
  return sets.filter((set) => set.size > 0);
}

/** "ubuntu/noble", each once. */
export function namesOf({ images }: StoredImages): string[] {
  return [...new Set(images.map(({ os, release }) => `${os}/${release}`))];
}

/**
 * Ubuntu's initrds for MAAS fetch the squashfs themselves and run from memory on top of it; for that they need an address, on the
 * card that BOOTIF names. cloud-init then looks for its data where the entry's own `ds=` says.
 */
function ephemeralWords({ os }: StoredImage, root: StoredFile | undefined): string[] {
  if (os !== 'ubuntu' || root?.ftype !== 'squashfs') return [];
  return [
    `root=squash:${ROOT_VARIABLE}`,
    'ip=::::${name}:BOOTIF ip6=off',
    'overlayroot=tmpfs overlayroot_cfgdisk=disabled',
  ];
}

function isRoot(ftype: string): boolean {
  return ROOT_KINDS.has(ftype) || /^(?:root-|dd|t[gbx]z$)/.test(ftype);
}

function rootUrl(root: StoredFile): string {
  return `\${rack}/${shelvedPath(root)}`;
}

function served(shelf: string, file: StoredFile): BootFile {
  return { path: shelvedPath(file), file: shelvedFile(shelf, file.sha256) };
}
