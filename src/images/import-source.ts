import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import type { ImageSource } from '../plan/plan.ts';
import { DirectoryOrigin } from './directory-origin.ts';
import { HttpOrigin } from './http-origin.ts';
import type { ImportSource } from './import-desk.ts';
import type { Origin } from './origin.ts';
import type { StreamPlace } from './streams/read-stream.ts';
import { StreamError } from './streams/stream-error.ts';
import type { Keyring } from './streams/verify-signature.ts';

/** A source, with the keys themselves where no file has them. */
export type NamedSource = Omit<ImageSource, 'keyring'> & { readonly keyring?: string | Keyring };

/** MAAS's rule: a URL that ends like this is the index itself, and any other the directory that streams/ is in. */
const INDEX_URL = /^(.*\/)(streams\/v1\/[^/]+\.s?json)$/;

/** A source as an import asks it. */
export function importSource(source: NamedSource): ImportSource {
  const { name, selections, keep } = source;
  return { name, selections, keep, open: () => openSource(source) };
}

async function openSource({ url, keyring, proxy }: NamedSource): Promise<StreamPlace> {
  const [, written, index] = INDEX_URL.exec(url) ?? [];
  const base = new URL(written ?? (url.endsWith('/') ? url : `${url}/`));
  const keys = typeof keyring === 'string' ? await readKeyring(keyring) : keyring;
  return {
    origin: originOf(base, proxy),
    ...(index !== undefined && { index: decodeURIComponent(index) }),
    ...(keys && { keyring: keys }),
  };
}

function originOf(base: URL, proxy: string | undefined): Origin {
  return base.protocol === 'file:' ? new DirectoryOrigin(fileURLToPath(base)) : new HttpOrigin({ base, proxy });
}

async function readKeyring(file: string): Promise<Keyring> {
  try {
    return { file, bytes: await readFile(file) };
  } catch (error) {
    throw new StreamError(`${file}: can't be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
