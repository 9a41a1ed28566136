import { readWhole, type Origin } from '../origin.ts';
import { TransferError } from '../transfer-error.ts';
import { readIndex } from './read-index.ts';
import { readProducts, type ProductsFile, type StreamVersion } from './read-products.ts';
import { StreamError } from './stream-error.ts';
import { checkDetached, readClearSigned, type Keyring } from './verify-signature.ts';

const LARGEST_INDEX = 4 * 2 ** 20;
const LARGEST_PRODUCTS = 64 * 2 ** 20;
const LARGEST_SIGNATURE = 64 * 2 ** 10;
const SIGNED_INDEX = 'streams/v1/index.sjson';
const PLAIN_INDEX = 'streams/v1/index.json';

export interface StreamPlace {
  readonly origin: Origin;
  /** The path of the index; absent: where streams have it. */
  readonly index?: string | undefined;
  /** Who must have signed it; absent: nobody. */
  readonly keyring?: Keyring | undefined;
}

/** Index and products of a stream, each believed only if it is signed as it must be. Throws StreamError, TransferError or AbortError. */
export async function readStream(place: StreamPlace, signal: AbortSignal): Promise<ProductsFile> {
  const { path, text } = await readIndexText(place, signal);
  const versions: StreamVersion[] = [];
  const refused: { product: string; reason: string }[] = [];
  for (const entry of readIndex(text, place.origin.locate(path))) {
    const products = await readText(place, entry.path, LARGEST_PRODUCTS, signal);
    const read = readProducts(products, place.origin.locate(entry.path));
    versions.push(...read.versions);
    refused.push(...read.refused);
  }
  return { versions, refused };
}

/** A signed stream has its signature inside or beside it; where both are, the one inside can't be of another moment than the text. */
async function readIndexText(place: StreamPlace, signal: AbortSignal): Promise<{ path: string; text: string }> {
  const named = place.index;
  const paths = named !== undefined ? [named] : place.keyring ? [SIGNED_INDEX, PLAIN_INDEX] : [PLAIN_INDEX];
  let missing: unknown;
  for (const path of paths) {
    try {
      return { path, text: await readText(place, path, LARGEST_INDEX, signal) };
    } catch (error) {
      if (!(error instanceof TransferError) || error.mayPass) throw error;
      missing ??= error;
    }
  }
  throw missing;
}

async function readText(place: StreamPlace, path: string, most: number, signal: AbortSignal): Promise<string> {
  const { origin, keyring } = place;
  const bytes = await readLimited(origin, path, most, signal);
  const file = origin.locate(path);
  if (keyring === undefined) return Buffer.from(bytes).toString('utf8');
  if (path.endsWith('.sjson')) return readClearSigned(Buffer.from(bytes).toString('utf8'), file, keyring);
  await checkDetached(bytes, await readLimited(origin, `${path}.gpg`, LARGEST_SIGNATURE, signal), file, keyring);
  return Buffer.from(bytes).toString('utf8');
}

async function readLimited(origin: Origin, path: string, most: number, signal: AbortSignal): Promise<Uint8Array> {
  const bytes = await readWhole(origin, path, most, signal);
  if (bytes) return bytes;
  throw new StreamError(`${origin.locate(path)}: expected at most ${most} bytes, found more`);
}
