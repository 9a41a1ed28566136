import { posix } from 'node:path';

import { oneLine, type Path } from './fault.ts';
import type { Place, YamlFault } from './source-document.ts';

/** What the region has for this rack: sections of a config. */
export interface RegionPart {
  /** As faults call it: "region plan 7". */
  readonly name: string;
  /** Any JSON. */
  readonly config: unknown;
}

/** Of each mapping in it what a region may say; of the others all. */
const SECTIONS: Readonly<Record<string, readonly string[] | 'all'>> = {
  subnets: 'all',
  hosts: 'all',
  options: 'all',
  always: 'all',
  classes: 'all',
  boot: ['default', 'entries', 'loop', 'exit', 'loaders'],
  images: ['sources', 'interval', 'bandwidth', 'parallel'],
  dns: ['domains', 'names', 'forward', 'routes', 'transfer', 'notify', 'allow'],
};
/** Where public keys of distributions are: the only files of its racks that a region may name. */
const KEYRINGS = '/usr/share/keyrings/';
/** Deeper than any key of ours. */
const MAX_DEPTH = 32;
/**
 * Of all lists and mappings together. Forty thousand hosts with four keys each have as many; and as each of them may be a fault, more
 * of them would keep the rack from its work for longer than a few seconds.
 */
const MOST_VALUES = 200_000;
/** Some of them are held each against each. */
const MOST_IN_LIST = 4096;
/** Those are not. */
const LONG_LISTS: ReadonlySet<string> = new Set(['hosts', 'names']);

/** The region's part as its rack reads it: what a region has no say in is a fault, and left out. */
export class RegionDocument {
  readonly name: string;
  readonly value: Mapping;
  readonly #faults: YamlFault[] = [];
  #values = 0;

  constructor({ name, config }: RegionPart) {
    this.name = name;
    const value = this.#sections(config);
    const isTooLong = this.#values > MOST_VALUES;
    if (isTooLong) this.#report([], `at most ${MOST_VALUES} values`, 'more');
    this.value = isTooLong ? {} : value;
  }

  /** They cost what they are about, which is left out, and nothing else: each is of scope `entry`. */
  get faults(): readonly YamlFault[] {
    return this.#faults;
  }

  /** Nobody sees its text, so there are no lines. */
  locate(path: Path): Place {
    return { line: 0, column: 0, source: this.name, path };
  }

  #sections(config: unknown): Mapping {
    if (!isMapping(config)) {
      this.#report([], `a mapping with ${Object.keys(SECTIONS).join(', ')}`, describeJson(config));
      return {};
    }
    return this.#copy(config, [], Object.keys(SECTIONS), (part, path) => {
      const allowed = SECTIONS[String(path[0])];
      const isPicked = allowed !== undefined && allowed !== 'all' && isMapping(part);
      return isPicked
        ? this.#copy(part, path, allowed, (inner, here) => this.#plain(inner, here))
        : this.#plain(part, path);
    });
  }

  #plain(value: unknown, path: Path): unknown {
    if (typeof value !== 'object' || value === null) return value;
    if (path.length > MAX_DEPTH) return this.#report(path, `at most ${MAX_DEPTH} levels`, 'more');
    if (!Array.isArray(value)) return this.#copy(value, path, undefined, (part, here) => this.#plain(part, here));
    const isLong = LONG_LISTS.has(String(path.at(-1)));
    if (!isLong && value.length > MOST_IN_LIST)
      return this.#report(path, `at most ${MOST_IN_LIST} of them`, String(value.length));
    this.#values += value.length;
    return this.#values > MOST_VALUES ? undefined : value.map((item, i) => this.#plain(item, [...path, i]));
  }

  /** `allowed`: the keys it may have; absent: any. */
  #copy(
    value: object,
    path: Path,
    allowed: readonly string[] | undefined,
    read: (part: unknown, path: Path) => unknown,
  ): Mapping {
    const copy: Record<string, unknown> = {};
    for (const [key, part] of Object.entries(value)) {
      if (++this.#values > MOST_VALUES) break;
      const here = [...path, key];
      if (allowed && !allowed.includes(key)) this.#reportKey(here, key, allowed);
      // It would be taken for the mapping's own nature by whoever reads it
      else if (key === '__proto__') this.#report(here, 'a plain word as key', key);
      else copy[key] = this.#isLocal(part, here) ? undefined : read(part, here);
    }
    return copy;
  }

  /** A file of this rack: what is in it, and whether it is there, is not for a region to find out. */
  #isLocal(part: unknown, path: Path): boolean {
    const expected = whyLocal(part, path);
    if (expected !== undefined)
      this.#report(path, `${expected}, as a region has no say in files of this rack`, describeJson(part));
    return expected !== undefined;
  }

  #reportKey(path: Path, key: string, allowed: readonly string[]): void {
    this.#report(path, `one of ${allowed.join(', ')}`, `${oneLine(key)}, in which a region has no say`);
  }

  #report(path: Path, expected: string, found: string): undefined {
    // The tree has no name for the place: in the merged one another value may have it
    this.#faults.push({ path: [], position: this.locate(path), expected, found, scope: 'entry' });
  }
}

/** What should stand there in the place of a file. */
function whyLocal(part: unknown, path: Path): string | undefined {
  const [section, list] = path;
  const key = path.at(-1);
  if (section === 'dns' && key === 'ca' && (list === 'forward' || list === 'routes')) return 'none';
  if (section !== 'images' || list !== 'sources' || path.length !== 4 || typeof part !== 'string') return undefined;
  if (key === 'url' && URL.parse(part)?.protocol === 'file:') return 'a URL with http or https';
  const isNamed = key === 'keyring' && !posix.normalize(part).startsWith(KEYRINGS);
  return isNamed ? `keyring-data, or a file in ${KEYRINGS}` : undefined;
}

export type Mapping = Readonly<Record<string, unknown>>;

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as whoever wrote it would know it, shortened, or what kind of thing it is. */
export function describeJson(value: unknown): string {
  if (isMapping(value)) return 'a mapping';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (value === undefined || value === null) return 'nothing';
  return oneLine(typeof value === 'string' ? value : JSON.stringify(value));
}
