import { readWhole, type Origin } from '../origin.ts';
import { TransferError } from '../transfer-error.ts';
import { readIndex } from './read-index.ts';
import { MOST_VERSIONS, readProducts, type ProductsFile, type StreamVersion } from './read-products.ts';
import { StreamError } from './stream-error.ts';
import { checkDetached, readClearSigned, type Keyring } from './verify-signature.ts';

const LARGEST_INDEX = 4 * 2 ** 20;
/** All of a stream together: Ubuntu's have 12 MB. */
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

/** What a signed file says of its age. */
export interface Stamp {
  /** As the origin locates the file. */
  readonly place: string;
  /** Unix milliseconds. */
  readonly updated: number;
}

export interface StreamContent extends Pick<ProductsFile, 'versions' | 'refused'> {
  /** Of each signed file that says when it was written: index and products may be of different times. */
  readonly stamps: readonly Stamp[];
}

/**
 * Index and products of a stream, each believed only if it is signed as it must be. `now`: Unix milliseconds. Throws StreamError,
 * TransferError or AbortError.
 */
export async function readStream(place: StreamPlace, signal: AbortSignal, now: number): Promise<StreamContent> {
  const reading = { ...place, signal, now };
  const { path, text } = await readIndexText(reading);
  const index = readIndex(text, place.origin.locate(path));
  const content = { versions: [] as StreamVersion[], refused: [] as ProductsFile['refused'][number][] };
  const stamps = stampsOf(reading, path, index);
  let left = LARGEST_PRODUCTS;
  for (const entry of index.entries) {
    const products = await readText(reading, entry.path, left);
    left -= products.length;
    const read = readProducts(products, place.origin.locate(entry.path));
    for (const version of read.versions) content.versions.push(version);
    for (const each of read.refused) content.refused.push(each);
    if (content.versions.length > MOST_VERSIONS) {
      throw new StreamError(`${place.origin.locate(path)}: expected at most ${MOST_VERSIONS} versions in all it names`);
    }
    stamps.push(...stampsOf(reading, entry.path, read));
  }
  return { ...content, stamps };
}

type Reading = StreamPlace & { readonly signal: AbortSignal; readonly now: number };

/** Who may write what they like may also write what time they like. */
function stampsOf({ origin, keyring }: Reading, path: string, { updated }: { readonly updated?: number }): Stamp[] {
  return keyring === undefined || updated === undefined ? [] : [{ place: origin.locate(path), updated }];
}

/** A signed stream has its signature inside or beside it; where both are, the one inside can't be of another moment than the text. */
async function readIndexText(place: Reading): Promise<{ path: string; text: string }> {
  const named = place.index;
  const paths = named !== undefined ? [named] : place.keyring ? [SIGNED_INDEX, PLAIN_INDEX] : [PLAIN_INDEX];
  let missing: unknown;
  for (const path of paths) {
    try {
      return { path, text: await readText(place, path, LARGEST_INDEX) };
    } catch (error) {
      if (!(error instanceof TransferError) || error.mayPass) throw error;
      missing ??= error;
    }
  }
  throw missing;
}

async function readText(reading: Reading, path: string, most: number): Promise<string> {
  const { origin, keyring, signal, now } = reading;
  const bytes = await readLimited(origin, path, most, signal);
  const file = origin.locate(path);
  if (keyring === undefined) return Buffer.from(bytes).toString('utf8');
  const judge = { keyring, now };
  if (path.endsWith('.sjson')) return readClearSigned(Buffer.from(bytes).toString('utf8'), file, judge);
  await checkDetached(bytes, await readLimited(origin, `${path}.gpg`, LARGEST_SIGNATURE, signal), file, judge);
  return Buffer.from(bytes).toString('utf8');
}

async function readLimited(origin: Origin, path: string, most: number, signal: AbortSignal): Promise<Uint8Array> {
  const bytes = await readWhole(origin, path, most, signal);
  if (bytes) return bytes;
  throw new StreamError(`${origin.locate(path)}: expected at most ${most} bytes, found more`);
}
