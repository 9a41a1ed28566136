import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { ImageSource } from '../plan/plan.ts';
import { DirectoryOrigin } from './directory-origin.ts';
import { HttpOrigin } from './http-origin.ts';
import type { ImportSource } from './import-desk.ts';
import { readWhole } from './origin.ts';
import type { StreamPlace } from './streams/read-stream.ts';
import { StreamError } from './streams/stream-error.ts';
import type { Keyring } from './streams/verify-signature.ts';
import { messageOf } from '../system/message-of.ts';

/** MAAS's rule: a URL that ends like this is the index itself, and any other the directory that streams/ is in. */
const INDEX_URL = /^(.*\/)(streams\/v1\/[^/]+\.s?json)$/;

/** Debian's and Ubuntu's archives have some 100 KB of keys. */
const LARGEST_LOCAL = 4 * 2 ** 20;

/** The directories that are read from, for as long as this is kept: one that hangs is left alone until it is there again. */
export class LocalDirectories {
  readonly #origins = new Map<string, DirectoryOrigin>();

  at(directory: string): DirectoryOrigin {
    const origin = this.#origins.get(directory) ?? new DirectoryOrigin(directory);
    this.#origins.set(directory, origin);
    return origin;
  }

  /** Throws TransferError, StreamError of one that is too large, or AbortError when the signal says so. */
  async read(file: string, signal: AbortSignal): Promise<Uint8Array> {
    const bytes = await readWhole(this.at(dirname(file)), basename(file), LARGEST_LOCAL, signal);
    if (bytes) return bytes;
    throw new StreamError(`${file}: expected at most ${LARGEST_LOCAL} bytes, found more`);
  }
}

/** A source as an import asks it. */
export function importSource(source: ImageSource, directories: LocalDirectories): ImportSource {
  const { name, selections, keep } = source;
  return { name, selections, keep, open: (signal) => openSource(source, directories, signal) };
}

async function openSource(
  source: ImageSource,
  directories: LocalDirectories,
  signal: AbortSignal,
): Promise<StreamPlace> {
  const { url, proxy, trust } = source;
  const [, written, index] = INDEX_URL.exec(url) ?? [];
  const base = new URL(written ?? (url.endsWith('/') ? url : `${url}/`));
  const keys = await keysOf(source, directories, signal);
  return {
    origin: base.protocol === 'file:' ? directories.at(fileURLToPath(base)) : new HttpOrigin({ base, proxy, trust }),
    ...(index !== undefined && { index: decodeURIComponent(index) }),
    ...(keys && { keyring: keys }),
  };
}

/** Undefined of a source that is believed without. */
async function keysOf(
  { name, keyring, keyringData: data }: ImageSource,
  directories: LocalDirectories,
  signal: AbortSignal,
): Promise<Keyring | undefined> {
  if (data !== undefined) return { file: `keyring-data of ${name}`, bytes: Buffer.from(data, 'base64') };
  return keyring === undefined ? undefined : readKeyring(keyring, directories, signal);
}

async function readKeyring(file: string, directories: LocalDirectories, signal: AbortSignal): Promise<Keyring> {
  try {
    return { file, bytes: await directories.read(file, signal) };
  } catch (error) {
    signal.throwIfAborted();
    throw new StreamError(`the keyring ${messageOf(error)}`);
  }
}
