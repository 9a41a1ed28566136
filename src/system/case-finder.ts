import { opendirSync, realpathSync, statSync, type BigIntStats } from 'node:fs';

/** A directory with more entries is not searched: someone may ask for a thousand missing files a second. */
const MOST_ENTRIES = 1024;
/** How many directories are kept in mind. */
const MOST_LISTINGS = 64;
/** No boot file lies deeper. */
const MOST_SEGMENTS = 16;
/** A directory that changed so lately may change again within the same tick of its clock. Milliseconds. */
const UNSETTLED = 2000;
/** Such a one is read anew no more often than this, in milliseconds. */
const SHORT_MEMORY = 100;

interface Listing {
  /** Lower case → the name on disk; of several the first in code-unit order. */
  readonly names: ReadonlyMap<string, string>;
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mtimeNs: bigint;
  readonly readAt: number;
}

/**
 * Finds files that a client spells in another case: firmware that thinks in FAT asks for BOOT/GRUBX64.EFI. Directories
 * are kept in mind for as long as their time of change stays the same.
 */
export class CaseFinder {
  readonly #now: () => number;
  readonly #listings = new Map<string, Listing>();

  /** `now`: Unix time in milliseconds. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /**
   * The path inside `root` that is `absolute` but for the case of its letters; undefined when there is none, or no other
   * than `absolute`. Goes segment by segment: a name that is there as written is taken before any other. Never throws.
   */
  find(root: string, absolute: string): string | undefined {
    if (!absolute.startsWith(`${root}/`)) return undefined;
    const segments = absolute.slice(root.length + 1).split('/');
    if (segments.length > MOST_SEGMENTS) return undefined;
    let found = root;
    for (const segment of segments) {
      const name = statOf(`${found}/${segment}`) ? segment : this.#spellingOf(root, found, segment);
      if (name === undefined) return undefined;
      found = `${found}/${name}`;
    }
    return found === absolute ? undefined : found;
  }

  #spellingOf(root: string, directory: string, segment: string): string | undefined {
    const stat = statOf(directory);
    if (!stat?.isDirectory()) return undefined;
    const kept = this.#listings.get(directory);
    if (kept && this.#isFresh(kept, stat)) return kept.names.get(segment.toLowerCase());
    const { dev, ino, mtimeNs } = stat;
    const listing = { names: readNames(root, directory), dev, ino, mtimeNs, readAt: this.#now() };
    this.#keep(directory, listing);
    return listing.names.get(segment.toLowerCase());
  }

  #isFresh({ dev, ino, mtimeNs, readAt }: Listing, stat: BigIntStats): boolean {
    if (dev !== stat.dev || ino !== stat.ino || mtimeNs !== stat.mtimeNs) return false;
    const wasSettled = readAt - Number(mtimeNs / 1_000_000n) > UNSETTLED;
    return wasSettled || Math.abs(this.#now() - readAt) < SHORT_MEMORY;
  }

  #keep(directory: string, listing: Listing): void {
    this.#listings.delete(directory);
    this.#listings.set(directory, listing);
    const [oldest] = this.#listings.keys();
    if (this.#listings.size > MOST_LISTINGS && oldest !== undefined) this.#listings.delete(oldest);
  }
}

/** Of a directory that lies outside `root`, its links followed, nothing is told. */
function readNames(root: string, directory: string): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  try {
    if (!isWithin(realpathSync(root), realpathSync(directory))) return names;
    using entries = opendirSync(directory);
    let count = 0;
    for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) {
      if (++count > MOST_ENTRIES) return new Map();
      const folded = entry.name.toLowerCase();
      const other = names.get(folded);
      if (other === undefined || entry.name < other) names.set(folded, entry.name);
    }
  } catch {
    // Unreadable, or gone meanwhile: the file counts as missing either way
  }
  return names;
}

function isWithin(root: string, directory: string): boolean {
  return directory === root || directory.startsWith(root === '/' ? '/' : `${root}/`);
}

function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}
