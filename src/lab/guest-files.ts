import { readdir } from 'node:fs/promises';
import { arch, homedir } from 'node:os';
import { join } from 'node:path';
import { env, geteuid } from 'node:process';
import type { GuestArchitecture } from './firmware.ts';
import { LabError } from './lab-error.ts';
import { runCommand } from './run-command.ts';
import type { Say } from './say.ts';
import { fillDirectory, openApt, unpackPackages, type Apt } from './unpack-packages.ts';

/** What the lab machine runs, as absolute paths on this computer. */
export interface GuestFiles {
  readonly kernel: string;
  /** The directory of `modules.dep`. */
  readonly modules: string;
  /** A static busybox, for the machine. */
  readonly busybox: string;
  /** One that runs on this computer. */
  readonly tools: string;
}

/** Packages that depend on the newest kernel; the cloud one is a third of the size and has all that a virtual machine needs. */
const KERNEL_PACKAGES: Readonly<Record<GuestArchitecture, readonly string[]>> = {
  amd64: ['linux-image-cloud-amd64', 'linux-image-amd64'],
  arm64: ['linux-image-cloud-arm64', 'linux-image-arm64'],
};
/** What such a package depends on: the kernel itself, and from Debian 14 its modules in a package of their own. */
const KERNEL_PARTS = /^\s*Depends: (linux-(?:image|modules|binary)-\S*\d\S*)$/gm;

/**
 * The lab machine's kernel and busybox, unpacked from Debian packages into the cache and never installed: this computer's own
 * boot stays as it is. What was fetched once is used from then on.
 * @throws LabError when they can't be had
 */
export async function fetchGuestFiles(
  say: Say,
  signal?: AbortSignal,
  architecture: GuestArchitecture = 'amd64',
): Promise<GuestFiles> {
  const own = await fetchFor('amd64', say, signal);
  if (architecture === 'amd64') return own;
  return { ...(await fetchFor(architecture, say, signal, own.busybox)), tools: own.busybox };
}

async function fetchFor(
  architecture: GuestArchitecture,
  say: Say,
  signal?: AbortSignal,
  tools?: string,
): Promise<GuestFiles> {
  const directory = guestDirectory(architecture);
  const cached = await findGuestFiles(directory);
  if (cached !== undefined) return cached;
  if (arch() !== 'x64') throw new LabError(`the lab needs an x86-64 computer, and this one is ${arch()}`);
  await fillDirectory(directory, (work) => unpackGuest(work, architecture, say, signal, tools));
  const fetched = await findGuestFiles(directory);
  if (fetched === undefined) throw new LabError(`the packages in ${directory} hold no kernel, modules and busybox`);
  say(`kernel and busybox of the lab machine are in ${directory} (delete it to fetch newer ones)`);
  return fetched;
}

/** `/var/cache/rackboot` for root, else below the user's own cache (XDG Base Directory). */
export function cacheDirectory(): string {
  if (geteuid?.() === 0) return '/var/cache/rackboot';
  return join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'rackboot');
}

function guestDirectory(architecture: GuestArchitecture): string {
  return join(cacheDirectory(), 'lab', architecture === 'amd64' ? 'guest' : `guest-${architecture}`);
}

async function unpackGuest(
  work: string,
  architecture: GuestArchitecture,
  say: Say,
  signal: AbortSignal | undefined,
  tools: string | undefined,
): Promise<void> {
  const apt = await openApt(architecture, join(cacheDirectory(), 'lab', architecture), signal);
  const packages = [...(await kernelPackages(apt, architecture)), 'busybox-static'];
  say(`fetching Debian packages for the lab machine: ${packages.join(' ')}`);
  await unpackPackages(apt, packages, work, signal);
  await writeModulesDep(work, tools, signal);
}

/** Names the package of the newest kernel, asking the mirror when the local lists know none. */
async function kernelPackages(apt: Apt, architecture: GuestArchitecture): Promise<string[]> {
  const known = await dependsOf(apt, architecture);
  if (known.length > 0) return known;
  await apt.update();
  const refreshed = await dependsOf(apt, architecture);
  if (refreshed.length > 0) return refreshed;
  const names = KERNEL_PACKAGES[architecture].join(' or ');
  throw new LabError(`no kernel package: expected ${names} in the package lists of apt`);
}

async function dependsOf(apt: Apt, architecture: GuestArchitecture): Promise<string[]> {
  for (const name of KERNEL_PACKAGES[architecture]) {
    const parts = kernelParts(await apt.depends(name));
    if (parts.length > 0) return parts;
  }
  return [];
}

/** The kernel packages in what `apt-cache depends` wrote. */
export function kernelParts(text: string): string[] {
  return [...text.matchAll(KERNEL_PARTS)].map((match) => match[1] ?? '');
}

/** `modules.dep` is written by the package's install script on a real system; here depmod makes it. */
async function writeModulesDep(root: string, tools: string | undefined, signal?: AbortSignal): Promise<void> {
  const busybox = tools ?? (await firstThere(root, ['usr/bin/busybox', 'bin/busybox']));
  const modules = await modulesDirectory(root);
  if (busybox === undefined || modules === undefined) return;
  const version = modules.slice(modules.lastIndexOf('/') + 1);
  const base = modules.startsWith(join(root, 'usr')) ? join(root, 'usr') : root;
  const made = await runCommand([busybox, 'depmod', '-b', base, version], { signal });
  if (made.code !== 0) throw new LabError(`depmod failed for the kernel modules in ${modules}: ${made.output}`);
}

async function findGuestFiles(root: string): Promise<GuestFiles | undefined> {
  const boot = await namesIn(join(root, 'boot'));
  const kernel = boot.find((name) => name.startsWith('vmlinuz-'));
  const modules = await modulesDirectory(root);
  const busybox = await firstThere(root, ['usr/bin/busybox', 'bin/busybox']);
  if (kernel === undefined || modules === undefined || busybox === undefined) return undefined;
  return { kernel: join(root, 'boot', kernel), modules, busybox, tools: busybox };
}

/** `lib/modules/VERSION`, which newer packages have below `usr`. */
async function modulesDirectory(root: string): Promise<string | undefined> {
  for (const place of ['usr/lib/modules', 'lib/modules']) {
    const [version] = await namesIn(join(root, place));
    if (version !== undefined) return join(root, place, version);
  }
  return undefined;
}

async function firstThere(root: string, paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const names = await namesIn(join(root, path, '..'));
    if (names.includes(path.slice(path.lastIndexOf('/') + 1))) return join(root, path);
  }
  return undefined;
}

async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}
