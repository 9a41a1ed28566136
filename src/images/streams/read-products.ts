import { compareVersions } from '../../plan/image-choice.ts';
import { StreamError } from './stream-error.ts';
import { kindOf, objectOf, parseStreamJson, shown, updatedAt, type JsonObject } from './stream-json.ts';
import { streamPath } from './stream-path.ts';

/** One TiB: nothing a rack boots is near. */
const LARGEST_FILE = 2 ** 40;
const MOST_SUBARCHES = 256;
const LONGEST_SUBARCHES = 8_192;
/** Ubuntu's streams have some hundreds. */
export const MOST_VERSIONS = 50_000;
/** What a level hands down: each costs a copy in every version, and no other is read. */
const INHERITED = [
  'os',
  'release',
  'release_title',
  'version',
  'arch',
  'subarch',
  'subarches',
  'kflavor',
  'label',
  'bootloader-type',
  'ftype',
  'path',
  'sha256',
  'size',
] as const;
const WORD = /^[A-Za-z0-9][A-Za-z0-9._+~:-]{0,127}$/;
const SHA256 = /^[0-9a-f]{64}$/;
const LONGEST_TITLE = 200;

/** A file of a version. */
export interface StreamItem {
  /** Its name in the stream: boot-kernel, squashfs. */
  readonly name: string;
  /** What it is: boot-kernel, boot-initrd, squashfs, root-image.gz, root-tgz, archive.tar.xz … */
  readonly ftype: string;
  /** Relative to the base of the stream. */
  readonly path: string;
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/** One version of a product, with everything it inherits written out. */
export interface StreamVersion {
  readonly product: string;
  readonly version: string;
  readonly os: string;
  readonly release: string;
  readonly arch: string;
  /** The kernel it comes with: ga-24.04, hwe-24.04, generic. '' for what has none, like a loader. */
  readonly subarch: string;
  /** All that this kernel will do for. */
  readonly subarches: readonly string[];
  readonly kflavor: string;
  readonly label: string;
  /** For people: "24.04 LTS". */
  readonly title: string;
  /** Of a loader: uefi, pxe, open-firmware. */
  readonly loaderType?: string;
  readonly items: readonly StreamItem[];
}

export interface ProductsFile {
  /** In the order of the file; of one product the newest version first. */
  readonly versions: readonly StreamVersion[];
  /** Products that can't be read, each with what is wrong; the others do not suffer for it. */
  readonly refused: readonly { readonly product: string; readonly reason: string }[];
  /** When it was written, in Unix milliseconds; absent when it does not say. */
  readonly updated?: number;
}

/** A products file, format "products:1.0". Throws StreamError when it is none; `file` names it. */
export function readProducts(text: string, file: string): ProductsFile {
  const tree = parseStreamJson(text, file);
  if (tree['format'] !== 'products:1.0') {
    throw new StreamError(`${file}: expected format products:1.0, found ${shown(tree['format'])}`);
  }
  const versions: StreamVersion[] = [];
  const refused: { product: string; reason: string }[] = [];
  for (const [product, value] of Object.entries(objectOf(tree['products'], `${file}: products`))) {
    try {
      for (const version of readProduct(product, value, tree)) versions.push(version);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      refused.push({ product: shown(product), reason: error.message });
    }
    if (versions.length > MOST_VERSIONS) throw new StreamError(`${file}: expected at most ${MOST_VERSIONS} versions`);
  }
  const updated = updatedAt(tree);
  return { versions, refused, ...(updated !== undefined && { updated }) };
}

/** Each level hands its plain values down to the next, which may write over them. */
function readProduct(product: string, value: unknown, tree: JsonObject): StreamVersion[] {
  const where = shown(product);
  const own = objectOf(value, where);
  const inherited = { ...plainValues(tree), ...plainValues(own) };
  const versions = Object.entries(objectOf(own['versions'], `${where}: versions`)).map(([version, each]) => {
    const place = `${where}: ${shown(version)}`;
    const holder = objectOf(each, place);
    return readVersion(product, version, { ...inherited, ...plainValues(holder) }, holder['items']);
  });
  return versions.toSorted((a, b) => compareVersions(b.version, a.version));
}

function readVersion(product: string, version: string, attributes: JsonObject, items: unknown): StreamVersion {
  const where = `${shown(product)}: ${shown(version)}`;
  const word = (name: string, otherwise?: string): string => wordOf(attributes, name, where, otherwise);
  const os = word('os');
  const loaderType = attributes['bootloader-type'];
  const isLoader = loaderType !== undefined;
  const subarch = word('subarch', isLoader ? '' : 'generic');
  if (!WORD.test(version)) throw new StreamError(`${where}: expected a version of letters, digits and ._+~:-`);
  return {
    product,
    version,
    os,
    release: word('release', isLoader ? os : undefined),
    arch: word('arch'),
    subarch,
    subarches: subarchesOf(attributes['subarches'], subarch, where),
    kflavor: word('kflavor', 'generic'),
    label: word('label', 'release'),
    title: titleOf(attributes),
    ...(isLoader && { loaderType: word('bootloader-type') }),
    items: readItems(objectOf(items, `${where}: items`), attributes, where),
  };
}

/** An item without a path or a checksum can't be fetched safely, and is as if it were not there. */
function readItems(items: JsonObject, inherited: JsonObject, where: string): StreamItem[] {
  return Object.entries(items).flatMap(([name, value]) => {
    const place = `${where}: ${shown(name)}`;
    const item = { ...inherited, ...plainValues(objectOf(value, place)) };
    if (item['path'] === undefined || item['sha256'] === undefined) return [];
    if (!WORD.test(name)) throw new StreamError(`${place}: expected a name of letters, digits and ._+~:-`);
    return [
      {
        name,
        ftype: wordOf(item, 'ftype', place, name),
        path: streamPath(item['path'], `${place}: path`),
        sha256: checksumOf(item['sha256'], place),
        size: sizeOf(item['size'], place),
      },
    ];
  });
}

function plainValues(holder: JsonObject): Record<string, unknown> {
  const own = INHERITED.filter((name) => Object.hasOwn(holder, name));
  return Object.fromEntries(own.map((name) => [name, holder[name]]).filter(([, value]) => !isHolder(value)));
}

function isHolder(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function wordOf(attributes: JsonObject, name: string, where: string, otherwise?: string): string {
  const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
  if (value === undefined && otherwise !== undefined) return otherwise;
  if (typeof value === 'string' && WORD.test(value)) return value;
  throw new StreamError(`${where}: ${name}: expected a word of letters, digits and ._+~:-, found ${kindOf(value)}`);
}

function titleOf(attributes: JsonObject): string {
  const title = attributes['release_title'] ?? attributes['version'] ?? '';
  return typeof title === 'string' ? title.replaceAll(/\p{Cc}+/gu, ' ').slice(0, LONGEST_TITLE) : '';
}

/** "generic,hwe-p,ga-24.04": its own among them, whether it stands there or not. */
function subarchesOf(value: unknown, own: string, where: string): readonly string[] {
  if (value !== undefined && typeof value !== 'string') {
    throw new StreamError(`${where}: subarches: expected words with commas between, found ${kindOf(value)}`);
  }
  if (value !== undefined && value.length > LONGEST_SUBARCHES) {
    throw new StreamError(
      `${where}: subarches: expected at most ${LONGEST_SUBARCHES} characters, found ${value.length}`,
    );
  }
  const written = (value ?? '').split(',').map((word) => word.trim());
  const words = new Set([...(own === '' ? [] : [own]), ...written.filter((word) => word !== '')]);
  const bad = [...words].find((word) => !WORD.test(word));
  if (bad !== undefined || words.size > MOST_SUBARCHES) {
    const found = bad === undefined ? `${words.size} of them` : shown(bad);
    throw new StreamError(`${where}: subarches: expected at most ${MOST_SUBARCHES} words, found ${found}`);
  }
  return [...words];
}

function checksumOf(value: unknown, where: string): string {
  if (typeof value === 'string' && SHA256.test(value)) return value;
  throw new StreamError(`${where}: sha256: expected 64 lower-case hex digits, found ${kindOf(value)}`);
}

function sizeOf(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= LARGEST_FILE) return value;
  throw new StreamError(`${where}: size: expected bytes from 1 to ${LARGEST_FILE}, found ${kindOf(value)}`);
}
