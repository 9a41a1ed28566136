import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { generateKey } from 'openpgp';

import type { ImageRow } from '../images/image-row.ts';
import { writeStream } from '../images/write-stream.ts';
import type { GuestArchitecture } from './firmware.ts';

/** The image that a lab's rack imports. */
export const LAB_IMAGE = { os: 'debian', release: 'lab' } as const;

/** A mirror on this computer, and who signs it. */
export interface LabMirror {
  readonly url: string;
  /** A file. */
  readonly keyring: string;
}

export interface MirrorContent {
  readonly architecture: GuestArchitecture;
  /** Files. */
  readonly kernel: string;
  readonly initrd: string;
  /** "20260718": a later one is newer. */
  readonly version: string;
}

/** Who signs a lab's mirror. */
export interface MirrorKey {
  readonly privateKey: string;
  readonly publicKey: string;
}

export async function createMirrorKey(): Promise<MirrorKey> {
  return generateKey({ userIDs: [{ name: 'rackboot lab' }] });
}

/** Writes, or writes over, a simplestreams mirror of one image: what a rack imports from real ones, in small. */
export async function writeMirror(directory: string, key: MirrorKey, content: MirrorContent): Promise<LabMirror> {
  const given = [
    ['boot-kernel', content.kernel],
    ['boot-initrd', content.initrd],
  ] as const;
  const places = new Map<string, string>();
  const files: ImageRow['files'][number][] = [];
  for (const [name, file] of given) {
    const bytes = await readFile(file);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    places.set(sha256, file);
    files.push({ name, ftype: name, sha256, size: bytes.length });
  }
  const row: ImageRow = {
    ...LAB_IMAGE,
    arch: content.architecture,
    subarch: 'generic',
    subarches: ['generic'],
    kflavor: 'generic',
    label: 'stable',
    version: content.version,
    title: 'rackboot lab',
    product: '',
    source: '',
    since: 0,
    files,
  };
  await mkdir(directory, { recursive: true });
  const keyring = `${directory}.asc`;
  await writeFile(keyring, key.publicKey);
  const pathOf = (sha256: string): string => places.get(sha256) ?? '';
  await writeStream(directory, { images: [row], pathOf, key: key.privateKey, now: Date.now() });
  return { url: pathToFileURL(join(directory, '/')).href, keyring };
}
