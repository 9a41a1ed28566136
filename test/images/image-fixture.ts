import type { ImageRow } from '../../src/images/image-row.ts';
import { sha256 } from './streams/stream-fixture.ts';

/** Ubuntu noble for amd64, with what is `changed`. */
export function imageRow(changed: Partial<ImageRow> = {}): ImageRow {
  const files = ['boot-kernel', 'boot-initrd', 'squashfs'].map((name) => ({
    name,
    ftype: name,
    sha256: sha256(`${name} ${changed.version ?? ''} ${changed.arch ?? ''}`),
    size: 1,
  }));
  return {
    os: 'ubuntu',
    release: 'noble',
    arch: 'amd64',
    subarch: 'ga-24.04',
    subarches: ['ga-24.04', 'generic'],
    kflavor: 'generic',
    label: 'stable',
    version: '20240101',
    title: '24.04 LTS',
    product: 'com.ubuntu.maas.stable:v3:boot:24.04:amd64:ga-24.04',
    source: 'mirror',
    since: 1,
    files,
    ...changed,
  };
}
