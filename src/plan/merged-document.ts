import { cidrContains, formatCidr, parseCidr } from '../addr/cidr.ts';
import type { ConfigDocument } from './config-document.ts';
import { formatPath, oneLine, type Path } from './fault.ts';
import { optionCode } from './option-table.ts';
import { describeJson, isMapping, type Mapping, type RegionDocument } from './region-document.ts';
import { schemaAt } from './schema.ts';
import type { Place, SourceDocument } from './source-document.ts';
import type { InterfaceAddress } from './surroundings.ts';
import { parseLabel } from './text-forms.ts';

/** Where a merged part comes from: in one of the two, or in both. */
interface Origin {
  readonly file?: Path;
  readonly region?: Path;
}

/** A part of both, at one place. */
interface Spot {
  /** In the file. */
  readonly path: Path;
  /** Without the numbers of elements, as the tables below have it. */
  readonly shape: string;
  /** With the names of elements, as an operator is told it. */
  readonly label: string;
}

/** A list whose elements have a name of their own. */
interface Keyed {
  /** By which an element of the file and one of the region are the same. */
  readonly nameOf: (element: unknown) => string | undefined;
  /** An element is either the file's or the region's: of two that make one there would be neither. */
  readonly isWhole?: true;
  /** Default: the file. */
  readonly first?: 'region';
}

const KEYED: Readonly<Record<string, Keyed>> = {
  subnets: { nameOf: (element) => asText(keyIn(element, 'cidr'), networkName) },
  hosts: { nameOf: (element) => asText(keyIn(element, 'name'), parseLabel) },
  // Of two that match the later one counts
  classes: { nameOf: (element) => asText(keyIn(element, 'name'), parseLabel), isWhole: true, first: 'region' },
  'images.sources': { nameOf: (element) => asText(keyIn(element, 'url'), sourceName), isWhole: true },
  'dns.domains': { nameOf: (element) => asText(element, domainName), isWhole: true },
  'dns.names': { nameOf: (element) => asText(keyIn(element, 'name'), domainName), isWhole: true },
  'dns.routes': { nameOf: (element) => asText(keyIn(element, 'domain'), domainName), isWhole: true },
};
/** Mappings that are merged key by key, and not the file's or the region's as a whole. */
const MERGED_MAPPINGS: ReadonlySet<string> = new Set([
  '',
  'options',
  'boot',
  'boot.entries',
  'boot.loaders',
  'boot.loop',
  'images',
  'dns',
  'subnets[]',
  'subnets[].options',
  'hosts[]',
  'hosts[].options',
  'hosts[].loaders',
  'hosts[].quirks',
]);

/**
 * The file and what the region says, as one: whatever the file says counts, key by key; what both say differently is a
 * conflict. A subnet of the region that names no interface is on that of this machine which alone has an address in it.
 */
export class MergedDocument implements SourceDocument {
  readonly value: unknown;
  /** A sentence each. */
  readonly conflicts: readonly string[];
  readonly brokenAt = undefined;
  readonly #file: ConfigDocument;
  readonly #region: RegionDocument;
  readonly #interfaces: readonly InterfaceAddress[];
  readonly #conflicts: string[] = [];
  /** Of the lists that were merged, by their path: where each element comes from. */
  readonly #elements = new Map<string, readonly Origin[]>();

  constructor(file: ConfigDocument, region: RegionDocument, interfaces: readonly InterfaceAddress[]) {
    this.#file = file;
    this.#region = region;
    this.#interfaces = interfaces;
    this.value = this.#merge({ path: [], shape: '', label: '' }, file.value, region.value);
    this.conflicts = this.#conflicts;
  }

  get faults(): SourceDocument['faults'] {
    return [...this.#file.faults, ...this.#region.faults];
  }

  locate(path: Path, at: 'key' | 'value' = 'value'): Place {
    const { file, region } = this.#find(path);
    return region ? this.#region.locate(region) : this.#file.locate(file, at);
  }

  describe(path: Path): string {
    const { file, region } = this.#find(path);
    return region ? describeJson(this.#at(path)) : this.#file.describe(file);
  }

  has(path: Path): boolean {
    const { file, region } = this.#find(path);
    return region ? this.#at(path) !== undefined : this.#file.has(file);
  }

  isScalar(path: Path): boolean {
    const { file, region } = this.#find(path);
    const value = region && this.#at(path);
    return region ? value !== undefined && !isMapping(value) && !Array.isArray(value) : this.#file.isScalar(file);
  }

  /** JSON has quotes. */
  bareKind(path: Path): string | undefined {
    const { file, region } = this.#find(path);
    return region ? undefined : this.#file.bareKind(file);
  }

  isList(path: Path): boolean {
    const { file, region } = this.#find(path);
    return region ? Array.isArray(this.#at(path)) : this.#file.isList(file);
  }

  /** The place of whoever said what stands at `path`; of what nobody said, in the file where that holds the place at all. */
  #find(
    path: Path,
  ): { readonly region: Path; readonly file?: never } | { readonly file: Path; readonly region?: never } {
    const { file, region } = this.#trace(path);
    if (region && (!file || (!this.#file.has(file) && this.#at(path) !== undefined))) return { region };
    return { file: file ?? [] };
  }

  #trace(path: Path): Origin {
    let origin: Origin = { file: [], region: [] };
    for (const [depth, step] of path.entries()) {
      const known = typeof step === 'number' ? this.#elements.get(formatPath(path.slice(0, depth)))?.[step] : undefined;
      origin = known ?? {
        ...(origin.file && { file: [...origin.file, step] }),
        ...(origin.region && { region: [...origin.region, step] }),
      };
    }
    return origin;
  }

  #at(path: Path): unknown {
    let value: unknown = this.value;
    for (const step of path) {
      if (typeof step === 'number') value = Array.isArray(value) ? (value as unknown[])[step] : undefined;
      else value = isMapping(value) && Object.hasOwn(value, step) ? value[step] : undefined;
    }
    return value;
  }

  #merge(spot: Spot, file: unknown, region: unknown): unknown {
    if (region === undefined) return file;
    const { shape } = spot;
    const keyed = Object.hasOwn(KEYED, shape) ? KEYED[shape] : undefined;
    if (keyed && Array.isArray(region) && (file === undefined || Array.isArray(file)))
      return this.#mergeList(spot, keyed, file ?? [], region);
    if (file === undefined) return region;
    if (MERGED_MAPPINGS.has(shape) && isMapping(file) && isMapping(region)) return this.#mergeKeys(spot, file, region);
    this.#compare(spot, file, region);
    return file;
  }

  #mergeKeys(spot: Spot, file: Mapping, region: Mapping): Mapping {
    const merged: Record<string, unknown> = { ...file };
    const isOptions = spot.path.at(-1) === 'options';
    const taken = isOptions ? new Map(Object.keys(file).map((key) => [optionName(key), key])) : undefined;
    for (const [key, value] of Object.entries(region)) {
      const own = taken?.get(optionName(key)) ?? key;
      merged[own] = this.#merge(keyOf(spot, own), Object.hasOwn(file, own) ? file[own] : undefined, value);
    }
    return merged;
  }

  #mergeList(spot: Spot, keyed: Keyed, file: readonly unknown[], region: readonly unknown[]): unknown[] {
    const { path, shape } = spot;
    const { nameOf } = keyed;
    const places = new Map(file.map((element, i) => [nameOf(element), i]));
    places.delete(undefined);
    const partners = new Map<number, number>();
    const added: { value: unknown; origin: Origin }[] = [];
    for (const [i, element] of region.entries()) {
      const partner = places.get(nameOf(element));
      if (partner !== undefined && !partners.has(partner)) partners.set(partner, i);
      else
        added.push({ value: shape === 'subnets' ? this.#placed(element) : element, origin: { region: [...path, i] } });
    }
    const own = file.map((element, i) => {
      const partner = partners.get(i);
      const origin = { file: [...path, i] };
      if (partner === undefined) return { value: element, origin };
      const value = this.#merge(elementOf(spot, i, nameOf(element)), element, region[partner]);
      return { value, origin: keyed.isWhole ? origin : { ...origin, region: [...path, partner] } };
    });
    const all = keyed.first === 'region' ? [...added, ...own] : [...own, ...added];
    this.#elements.set(
      shape,
      all.map(({ origin }) => origin),
    );
    return all.map(({ value }) => value);
  }

  #compare({ path, label }: Spot, file: unknown, region: unknown): void {
    if (isSame(path, file, region)) return;
    const said =
      isPlain(file) && isPlain(region)
        ? `the file says ${describeJson(file)}, the region ${describeJson(region)}`
        : 'the file and the region differ';
    this.#conflicts.push(`${label}: ${said}: the file's is used`);
  }

  /** A subnet on the one interface that it can be on. */
  #placed(subnet: unknown): unknown {
    if (!isMapping(subnet) || subnet['interface'] !== undefined) return subnet;
    const cidr = asText(subnet['cidr'], parseCidr);
    if (!cidr) return subnet;
    const names = new Set(this.#interfaces.filter(({ address }) => cidrContains(cidr, address)).map((row) => row.name));
    const [only] = names;
    return names.size === 1 ? { ...subnet, interface: only } : subnet;
  }
}

function keyOf({ path, shape, label }: Spot, key: string): Spot {
  const isTop = path.length === 0;
  return {
    path: [...path, key],
    shape: isTop ? key : `${shape}.${key}`,
    label: isTop ? key : `${label}.${oneLine(key)}`,
  };
}

function elementOf({ path, shape, label }: Spot, index: number, name: string | undefined): Spot {
  return { path: [...path, index], shape: `${shape}[]`, label: `${label}[${name ?? index}]` };
}

function keyIn(element: unknown, key: string): unknown {
  return isMapping(element) ? element[key] : undefined;
}

function asText<T>(value: unknown, read: (text: string) => T | undefined): T | undefined {
  return typeof value === 'string' ? read(value) : undefined;
}

function networkName(text: string): string | undefined {
  const cidr = parseCidr(text);
  return cidr && formatCidr(cidr);
}

function domainName(text: string): string {
  return text.toLowerCase().replace(/\.$/, '');
}

/** A directory is the same with a slash at its end. */
function sourceName(text: string): string | undefined {
  return URL.parse(text)?.href.replace(/\/$/, '');
}

/** An option has a name and a number. */
function optionName(key: string): string {
  return String(optionCode(key) ?? key);
}

function isPlain(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

/** Whether both mean one thing, however they say it: 12h and 43200s, one address and a list of one. */
function isSame(path: Path, a: unknown, b: unknown): boolean {
  if (isEqual(a, b)) return true;
  const schema = schemaAt(path);
  const [left, right] = [schema?.safeParse(a), schema?.safeParse(b)];
  return left?.success === true && right?.success === true && isEqual(left.data, right.data);
}

function isEqual(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((part, i) => isEqual(part, b[i]));
  if (!isMapping(a) || !isMapping(b)) return a === b;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key], b[key]));
}
