import { oneLine, type Path } from './fault.ts';
import type { Place, SourceDocument, YamlFault } from './source-document.ts';

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
/** Deeper than any key of ours. */
const MAX_DEPTH = 32;

/** The region's part as its rack reads it: what a region has no say in is a fault, and left out. */
export class RegionDocument implements SourceDocument {
  readonly name: string;
  readonly value: Readonly<Record<string, unknown>>;
  readonly brokenAt = undefined;
  readonly #faults: YamlFault[] = [];

  constructor({ name, config }: RegionPart) {
    this.name = name;
    this.value = this.#sections(config);
  }

  get faults(): readonly YamlFault[] {
    return this.#faults;
  }

  locate(path: Path): Place {
    return { line: 0, column: 0, source: this.name, path };
  }

  describe(path: Path): string {
    const value = this.#at(path);
    if (isMapping(value)) return 'a mapping';
    if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
    return value === undefined || value === null ? 'nothing' : oneLine(JSON.stringify(value).replace(/^"|"$/g, ''));
  }

  has(path: Path): boolean {
    return this.#at(path) !== undefined;
  }

  isScalar(path: Path): boolean {
    const value = this.#at(path);
    return value !== undefined && !isMapping(value) && !Array.isArray(value);
  }

  /** JSON has quotes. */
  bareKind(): undefined {
    return undefined;
  }

  isList(path: Path): boolean {
    return Array.isArray(this.#at(path));
  }

  #at(path: Path): unknown {
    let value: unknown = this.value;
    for (const step of path) {
      if (typeof step === 'number') value = Array.isArray(value) ? (value as unknown[])[step] : undefined;
      else value = isMapping(value) && Object.hasOwn(value, step) ? value[step] : undefined;
    }
    return value;
  }

  #sections(config: unknown): Record<string, unknown> {
    if (!isMapping(config)) {
      this.#report([], `a mapping with ${Object.keys(SECTIONS).join(', ')}`, 'something else');
      return {};
    }
    const value: Record<string, unknown> = {};
    for (const [section, part] of Object.entries(config)) {
      const allowed = Object.hasOwn(SECTIONS, section) ? SECTIONS[section] : undefined;
      if (allowed === undefined) this.#reportKey([], section, Object.keys(SECTIONS));
      else value[section] = allowed === 'all' ? this.#plain(part, [section]) : this.#keys(part, section, allowed);
    }
    return value;
  }

  #keys(part: unknown, section: string, allowed: readonly string[]): unknown {
    if (!isMapping(part)) return this.#plain(part, [section]);
    const value: Record<string, unknown> = {};
    for (const [key, inner] of Object.entries(part)) {
      if (allowed.includes(key)) value[key] = this.#plain(inner, [section, key]);
      else this.#reportKey([section], key, allowed);
    }
    return value;
  }

  #plain(value: unknown, path: Path): unknown {
    if (path.length > MAX_DEPTH) {
      this.#report(path, `at most ${MAX_DEPTH} levels`, 'more');
      return undefined;
    }
    if (Array.isArray(value)) return value.map((item, i) => this.#plain(item, [...path, i]));
    if (!isMapping(value)) return value;
    const copy: Record<string, unknown> = {};
    for (const [key, part] of Object.entries(value)) {
      const here = [...path, key];
      // It would be taken for the mapping's own nature by whoever reads it
      if (key === '__proto__') this.#report(here, 'a plain word as key', key);
      else copy[key] = this.#plain(part, here);
    }
    return copy;
  }

  #reportKey(holder: Path, key: string, allowed: readonly string[]): void {
    this.#report([...holder, key], `one of ${allowed.join(', ')}`, `${oneLine(key)}, in which a region has no say`);
  }

  #report(path: Path, expected: string, found: string): void {
    this.#faults.push({ path, position: this.locate(path), expected, found });
  }
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
