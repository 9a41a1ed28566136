import type { StreamItem, StreamVersion } from './streams/read-products.ts';

/** One of each is fetched; of several forms the first that a version has. */
const PARTS: readonly (readonly string[])[] = [
  ['boot-kernel'],
  ['boot-initrd'],
  ['boot-dtb'],
  [
    'squashfs',
    'root-image.gz',
    'root-tgz',
    'root-txz',
    'root-tbz',
    'root-dd',
    'root-dd.xz',
    'root-dd.gz',
    'root-dd.bz2',
    'root-ddtgz',
    'root-ddtxz',
    'root-ddtbz',
    'root-ddraw',
    'root-ddtar',
    'tgz',
    'txz',
    'tbz',
    'ddtgz',
    'ddtxz',
    'ddtbz',
    'ddgz',
    'ddxz',
    'ddbz2',
    'ddraw',
  ],
  ['iso'],
];
/** A loader comes packed, one archive for each program. */
export const ARCHIVE = 'archive.tar.xz';

/** The items of a version that machines can boot or be installed from; manifests and the installers of Debian's are left out. */
export function wantedItems({ items }: Pick<StreamVersion, 'items'>): StreamItem[] {
  const parts = PARTS.flatMap((forms) => {
    const found = forms.map((form) => items.find(({ ftype }) => ftype === form));
    return found.find((item) => item !== undefined) ?? [];
  });
  return [...parts, ...items.filter(({ ftype }) => ftype === ARCHIVE)];
}
