import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { parseDocument } from 'yaml';

import { addImage, type AddedImage } from '../images/add-image.ts';
import { isPublished, sizeOf } from '../images/image-row.ts';
import { bootFilesOfIso } from '../images/iso-image.ts';
import { imageIndex, readImageIndex } from '../images/open-image-store.ts';
import { imageKey } from '../images/streams/select-versions.ts';
import { writeStream } from '../images/write-stream.ts';
import { imageShelf, shelvedFile } from '../plan/stored-image.ts';
import type { ImageAnswer } from '../service/letters.ts';
import { askDaemon, RefusedError, UnreachableError } from './control-client.ts';

const DEFAULT_STATE = '/var/lib/rackboot';
const NAME = /^([A-Za-z0-9][A-Za-z0-9._+~-]*)\/([A-Za-z0-9][A-Za-z0-9._+~-]*)(?:\/(amd64|arm64|armhf|ppc64el|i386))?$/;

export interface AddOptions {
  readonly config: string;
  readonly control: string;
  readonly json: boolean;
  readonly kernel?: string | undefined;
  readonly initrd?: string | undefined;
  readonly dtb?: string | undefined;
  readonly root?: string | undefined;
  readonly iso?: string | undefined;
}

/** `rackboot images add NAME`: an operator's own files as an image; the daemon need not run. */
export async function addOwnImage(options: AddOptions, name: string, out: (line: string) => void): Promise<number> {
  const [, os, release, arch = 'amd64'] = NAME.exec(name) ?? [];
  if (os === undefined || release === undefined) {
    throw new RefusedError(`images add: expected a name like custom/rescue or custom/rescue/arm64, found ${name}`);
  }
  const row = await addImage(stateOf(options.config), { os, release, arch, files: filesOf(options) }, Date.now());
  await tellDaemon(options.control);
  if (options.json) out(JSON.stringify(row));
  else
    out(
      `${imageKey(row)} ${row.version} is here, ${sizeOf(row)} bytes: a boot entry boots it by "image: ${os}/${release}"`,
    );
  return 0;
}

function filesOf({ kernel, initrd, dtb, root, iso }: AddOptions): AddedImage['files'] {
  if (iso !== undefined) {
    if ([kernel, initrd, dtb, root].some((each) => each !== undefined)) {
      throw new RefusedError('images add: expected --iso alone, as kernel and initrd are taken from it');
    }
    const file = resolve(iso);
    const found = bootFilesOfIso(file);
    return [
      { name: 'boot-kernel', ftype: 'boot-kernel', content: found.kernel },
      { name: 'boot-initrd', ftype: 'boot-initrd', content: found.initrd },
      { name: 'image.iso', ftype: 'iso', content: { file } },
    ];
  }
  if (kernel === undefined) throw new RefusedError('images add: expected --kernel FILE, or --iso FILE');
  const given = [
    ['boot-kernel', kernel],
    ['boot-initrd', initrd],
    ['boot-dtb', dtb],
    ['squashfs', root],
  ] as const;
  return given.flatMap(([name, file]) =>
    file === undefined ? [] : [{ name, ftype: name, content: { file: resolve(file) } }],
  );
}

export interface ExportOptions {
  readonly config: string;
  /** A file with an armoured private key. */
  readonly key?: string | undefined;
}

/** `rackboot images export DIR`: all that is published here, as a mirror for a rack without a network. */
export async function exportImages(
  { config, key }: ExportOptions,
  directory: string,
  out: (line: string) => void,
): Promise<number> {
  const state = stateOf(config);
  const images = readImageIndex(imageIndex(state))?.images.filter(isPublished) ?? [];
  if (images.length === 0) throw new RefusedError(`${imageIndex(state)}: no image is here to export`);
  await writeStream(resolve(directory), {
    images,
    pathOf: (sha256) => shelvedFile(imageShelf(state), sha256),
    key: key === undefined ? undefined : readFileSync(key, 'utf8'),
    now: Date.now(),
  });
  const bytes = images.reduce((sum, row) => sum + sizeOf(row), 0);
  const how = key === undefined ? 'not signed: its importers say "unsigned: true"' : `signed by ${key}`;
  out(`${images.length} versions, ${bytes} bytes in ${directory}, ${how}`);
  return 0;
}

/** It compiles a Plan of what is here now; one that does not run does so when it starts. */
async function tellDaemon(control: string): Promise<void> {
  try {
    await askDaemon<ImageAnswer>(control, '/images/reread', 'POST');
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
  }
}

/** `rack.state` of a file that may be broken elsewhere. */
function stateOf(config: string): string {
  try {
    const value: unknown = parseDocument(readFileSync(config, 'utf8')).getIn(['rack', 'state']);
    return typeof value === 'string' ? value : DEFAULT_STATE;
  } catch {
    return DEFAULT_STATE;
  }
}
