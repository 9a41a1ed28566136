import { chmodSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openApt, unpackPackages } from '../lab/unpack-packages.ts';
import { DEBIAN_FILES } from '../plan/loader-table.ts';
import { replaceFile } from '../system/replace-file.ts';
import { messageOf } from '../system/message-of.ts';

export interface InstalledLoaders {
  readonly put: readonly { readonly file: string; readonly from: string }[];
  /** Packages of which nothing could be had. */
  readonly missing: readonly { readonly package: string; readonly reason: string }[];
}

/** Gets a package's content into a directory, as paths below it; throws what went wrong. */
export type Unpack = (wanted: DebianPackage, into: string) => Promise<void>;

/** `architecture`: as Debian calls it; absent where the package is the same for all. */
interface DebianPackage {
  readonly name: string;
  readonly architecture?: string;
}

/**
 * Puts every loader of the table that Debian has into `directory`. The files of installed packages are taken as they are; other
 * packages are downloaded and unpacked aside, so that nothing of this computer's own boot changes.
 */
export async function installLoaders(
  directory: string,
  say: (line: string) => void,
  { root = '/', unpack = unpackFromMirror }: { root?: string; unpack?: Unpack } = {},
): Promise<InstalledLoaders> {
  const work = mkdtempSync(join(tmpdir(), 'rackboot-loaders-'));
  try {
    const missing: { package: string; reason: string }[] = [];
    const put: { file: string; from: string }[] = [];
    for (const [name, { wanted, files }] of byPackage()) {
      const isWhole = files.every(([, places]) => firstIn(root, places) !== undefined);
      const aside = join(work, name);
      const trouble = isWhole ? undefined : await fetched(unpack, wanted, aside, say);
      const got = files.flatMap(([file, places]) => copy(join(directory, file), [root, aside], places));
      put.push(...got.map(({ file, from }) => ({ file, from: from.replace(aside, `${name} `) })));
      if (got.length === 0) missing.push({ package: name, reason: trouble ?? 'it has none of the files' });
    }
    return { put, missing };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

interface PackageFiles {
  readonly wanted: DebianPackage;
  readonly files: readonly (readonly [file: string, places: readonly string[]])[];
}

/** By the name with its architecture: `shim-signed:arm64`. */
function byPackage(): Map<string, PackageFiles> {
  const packages = new Map<string, PackageFiles>();
  for (const [file, { package: name, architecture, places }] of DEBIAN_FILES) {
    const key = architecture === undefined ? name : `${name}:${architecture}`;
    const wanted = { name, ...(architecture && { architecture }) };
    packages.set(key, { wanted, files: [...(packages.get(key)?.files ?? []), [file, places]] });
  }
  return packages;
}

async function fetched(
  unpack: Unpack,
  wanted: DebianPackage,
  into: string,
  say: (line: string) => void,
): Promise<string | undefined> {
  const { name, architecture } = wanted;
  say(`fetching the Debian package ${name}${architecture === undefined ? '' : ` (${architecture})`}`);
  try {
    await unpack(wanted, into);
    return undefined;
  } catch (error) {
    return messageOf(error).trim().split('\n').at(-1) ?? 'no reason given';
  }
}

/** From the first of `roots` that has it. */
function copy(file: string, roots: readonly string[], places: readonly string[]): { file: string; from: string }[] {
  const from = roots.flatMap((root) => firstIn(root, places) ?? []).at(0);
  if (from === undefined) return [];
  replaceFile(file, from.content, 0o644);
  return [{ file, from: from.path }];
}

function firstIn(root: string, places: readonly string[]): { path: string; content: Uint8Array } | undefined {
  for (const place of places) {
    const path = join(root, place);
    try {
      return { path, content: readFileSync(path) };
    } catch {
      // The next one
    }
  }
  return undefined;
}

async function unpackFromMirror({ name, architecture }: DebianPackage, into: string): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'rackboot-deb-'));
  try {
    // apt downloads as a user of its own
    chmodSync(work, 0o777);
    await unpackPackages(await openApt(architecture, work), [name], work);
    renameSync(work, into);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
