import { cidrContains, parseCidr } from '../addr/cidr.ts';
import type { ConfigDocument } from './config-document.ts';
import { formatPath, type Path } from './fault.ts';
import { isMapping, type RegionDocument } from './region-document.ts';
import type { Place, SourceDocument } from './source-document.ts';
import type { InterfaceAddress } from './surroundings.ts';

/** Where a merged part comes from: in one of the two, or in both. */
interface Origin {
  readonly file?: Path;
  readonly region?: Path;
}

/** Lists whose elements have a name of their own. `whole`: an element is either the file's or the region's. */
const KEYED: Readonly<
  Record<string, { readonly key: string; readonly whole: boolean; readonly first: 'file' | 'region' }>
> = {
  subnets: { key: 'cidr', whole: false, first: 'file' },
  hosts: { key: 'name', whole: false, first: 'file' },
  // Of two that match the later one counts
  classes: { key: 'name', whole: true, first: 'region' },
  'images.sources': { key: 'url', whole: true, first: 'file' },
  'dns.names': { key: 'name', whole: true, first: 'file' },
  'dns.routes': { key: 'domain', whole: true, first: 'file' },
};
/** Mappings that are merged key by key, and not the file's or the region's as a whole. */
const MERGED_MAPPINGS: ReadonlySet<string> = new Set([
  '',
  'boot',
  'boot.entries',
  'boot.loaders',
  'images',
  'dns',
  'options',
]);

/**
 * The file and what the region says, as one: whatever the file says counts, key by key; what both say differently is a
 * conflict. A subnet of the region that names no interface is on that of this machine which alone has an address in it.
 */
export class MergedDocument implements SourceDocument {
  readonly value: unknown;
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
    this.value = this.#merge([], file.value, region.value);
    this.conflicts = this.#conflicts;
  }

  get faults(): SourceDocument['faults'] {
    return [...this.#file.faults, ...this.#region.faults];
  }

  locate(path: Path, at: 'key' | 'value' = 'value'): Place {
    const { document, own } = this.#find(path);
    return document.locate(own, at);
  }

  describe(path: Path): string {
    const { document, own } = this.#find(path);
    return document.describe(own);
  }

  has(path: Path): boolean {
    const { document, own } = this.#find(path);
    return document.has(own);
  }

  isScalar(path: Path): boolean {
    const { document, own } = this.#find(path);
    return document.isScalar(own);
  }

  bareKind(path: Path): string | undefined {
    const { document, own } = this.#find(path);
    return document.bareKind(own);
  }

  isList(path: Path): boolean {
    const { document, own } = this.#find(path);
    return document.isList(own);
  }

  /** Who said what stands at `path`; what nobody said is the file's where that holds the place at all. */
  #find(path: Path): { readonly document: SourceDocument; readonly own: Path } {
    const { file, region } = this.#trace(path);
    const isRegions = file === undefined || (region !== undefined && !this.#file.has(file) && this.#region.has(region));
    return region !== undefined && isRegions
      ? { document: this.#region, own: region }
      : { document: this.#file, own: file ?? [] };
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

  #merge(path: Path, file: unknown, region: unknown): unknown {
    if (region === undefined) return file;
    const name = formatPath(path);
    const keyed = Object.hasOwn(KEYED, name) ? KEYED[name] : undefined;
    if (keyed && Array.isArray(region) && (file === undefined || Array.isArray(file))) {
      return this.#mergeList(path, keyed, file ?? [], region);
    }
    if (file === undefined) return region;
    if (MERGED_MAPPINGS.has(name) && isMapping(file) && isMapping(region))
      return this.#mergeKeys(path, name, file, region);
    this.#compare(name, file, region);
    return file;
  }

  #mergeKeys(path: Path, name: string, file: Mapping, region: Mapping): Mapping {
    const merged: Record<string, unknown> = { ...file };
    for (const [key, value] of Object.entries(region)) {
      const own = Object.hasOwn(file, key) ? (file[key] ?? undefined) : undefined;
      merged[key] = this.#merge(name === '' ? [key] : [...path, key], own, value);
    }
    return merged;
  }

  #mergeList(
    path: Path,
    { key, whole, first }: (typeof KEYED)[string],
    file: readonly unknown[],
    region: readonly unknown[],
  ): unknown[] {
    const name = formatPath(path);
    const places = new Map(file.map((element, i) => [nameOf(element, key), i]));
    places.delete(undefined);
    const partners = new Map<number, number>();
    const added: { value: unknown; origin: Origin }[] = [];
    for (const [i, element] of region.entries()) {
      const partner = places.get(nameOf(element, key));
      if (partner !== undefined && !partners.has(partner)) partners.set(partner, i);
      else added.push({ value: this.#placed(name, element), origin: { region: [...path, i] } });
    }
    const own = file.map((element, i) => {
      const partner = partners.get(i);
      if (partner === undefined) return { value: element, origin: { file: [...path, i] } };
      const label = `${name}[${String(nameOf(element, key))}]`;
      if (whole) this.#compare(label, element, region[partner]);
      return whole
        ? { value: element, origin: { file: [...path, i] } }
        : {
            value: this.#mergeElement(label, element, region[partner]),
            origin: { file: [...path, i], region: [...path, partner] },
          };
    });
    const all = first === 'file' ? [...own, ...added] : [...added, ...own];
    this.#elements.set(
      name,
      all.map(({ origin }) => origin),
    );
    return all.map(({ value }) => value);
  }

  #mergeElement(label: string, file: unknown, region: unknown): unknown {
    if (!isMapping(file) || !isMapping(region)) return file;
    const merged: Record<string, unknown> = { ...region, ...file };
    for (const key of Object.keys(file))
      if (Object.hasOwn(region, key)) this.#compare(`${label}.${key}`, file[key], region[key]);
    return merged;
  }

  #compare(label: string, file: unknown, region: unknown): void {
    if (isSame(file, region)) return;
    const said =
      isPlain(file) && isPlain(region)
        ? `the file says ${String(file)}, the region ${String(region)}`
        : 'the file and the region differ';
    this.#conflicts.push(`${label}: ${said}: the file's is used`);
  }

  /** A subnet on the one interface that it can be on. */
  #placed(name: string, subnet: unknown): unknown {
    if (name !== 'subnets' || !isMapping(subnet) || subnet['interface'] !== undefined) return subnet;
    const cidr = typeof subnet['cidr'] === 'string' ? parseCidr(subnet['cidr']) : undefined;
    if (!cidr) return subnet;
    const names = new Set(this.#interfaces.filter(({ address }) => cidrContains(cidr, address)).map((row) => row.name));
    const [only] = names;
    return names.size === 1 ? { ...subnet, interface: only } : subnet;
  }
}

type Mapping = Readonly<Record<string, unknown>>;

/** By which an element of the file and one of the region are the same. */
function nameOf(element: unknown, key: string): string | undefined {
  const name = isMapping(element) ? element[key] : undefined;
  return typeof name === 'string' ? name.toLowerCase() : undefined;
}

function isPlain(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((part, i) => isSame(part, b[i]));
  if (!isMapping(a) || !isMapping(b)) return a === b;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]));
}
