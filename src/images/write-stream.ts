import { constants, copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { ImageRow } from './image-row.ts';
import { LOADER_FILE } from './unpack-into.ts';

const CONTENT_ID = 'rackboot:images:download';
const PRODUCTS = 'streams/v1/rackboot:images:download';
const INDEX = 'streams/v1/index';

export interface StreamDraft {
  readonly images: readonly ImageRow[];
  /** Where a file is, by its checksum. */
  readonly pathOf: (sha256: string) => string;
  /** An armoured private key without a passphrase; absent: the stream is not signed. */
  readonly key?: string | undefined;
  /** Unix milliseconds. */
  readonly now: number;
}

/**
 * Writes a simplestreams tree that any importer reads: the files first, then what names them. Files that are there with their size are
 * left: they are of this version and no other. Throws what the disk says.
 */
export async function writeStream(directory: string, { images, pathOf, key, now }: StreamDraft): Promise<void> {
  for (const row of images) {
    for (const file of exported(row)) put(pathOf(file.sha256), join(directory, pathIn(row, file.name)), file.size);
  }
  const updated = new Date(now).toUTCString().replace('GMT', '+0000');
  const products = JSON.stringify(
    {
      format: 'products:1.0',
      datatype: 'image-downloads',
      content_id: CONTENT_ID,
      updated,
      products: productsOf(images),
    },
    null,
    1,
  );
  const index = (ending: string): string =>
    JSON.stringify(
      {
        format: 'index:1.0',
        updated,
        index: {
          [CONTENT_ID]: {
            datatype: 'image-downloads',
            format: 'products:1.0',
            updated,
            path: `${PRODUCTS}.${ending}`,
            products: Object.keys(productsOf(images)),
          },
        },
      },
      null,
      1,
    );
  const texts: [string, string][] = [
    [`${PRODUCTS}.json`, products],
    [`${INDEX}.json`, index('json')],
  ];
  if (key !== undefined) {
    texts.splice(0, 0, [`${PRODUCTS}.sjson`, await clearSigned(products, key)]);
    texts.push([`${INDEX}.sjson`, await clearSigned(index('sjson'), key)]);
  }
  for (const [path, text] of texts) write(join(directory, path), text);
}

interface Product {
  readonly versions: Record<string, unknown>;
  readonly [attribute: string]: unknown;
}

function productsOf(images: readonly ImageRow[]): Record<string, unknown> {
  const products = new Map<string, Product>();
  for (const row of images) {
    const { os, release, arch, subarch, subarches, kflavor, label, title, loaderType } = row;
    const name = ['rackboot:boot', os, release, arch, subarch, kflavor, label].filter((word) => word !== '').join(':');
    const product: Product = products.get(name) ?? {
      os,
      release,
      arch,
      kflavor,
      label,
      release_title: title,
      ...(loaderType === undefined ? { subarch, subarches: subarches.join(',') } : { 'bootloader-type': loaderType }),
      versions: {},
    };
    const items = exported(row).map(({ name: item, ftype, sha256, size }) => [
      item,
      { ftype, path: pathIn(row, item), sha256, size },
    ]);
    product.versions[row.version] = { items: Object.fromEntries(items) as object };
    products.set(name, product);
  }
  return Object.fromEntries(products);
}

/** What was unpacked here is unpacked there again. */
function exported(row: ImageRow): ImageRow['files'] {
  return row.files.filter(({ ftype }) => ftype !== LOADER_FILE);
}

function pathIn({ os, release, arch, subarch, label, version }: ImageRow, name: string): string {
  return [os, release, arch, label, version, subarch, name].filter((word) => word !== '').join('/');
}

function put(from: string, to: string, size: number): void {
  if (existsSync(to) && statSync(to).size === size) return;
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to, constants.COPYFILE_FICLONE);
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  writeFileSync(file, text);
}

async function clearSigned(text: string, armoredKey: string): Promise<string> {
  const { createCleartextMessage, readPrivateKey, sign } = await import('openpgp');
  const signingKeys = await readPrivateKey({ armoredKey });
  return sign({ message: await createCleartextMessage({ text }), signingKeys });
}
