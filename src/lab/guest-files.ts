import { chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { arch, homedir } from 'node:os';
import { join } from 'node:path';
import { env, geteuid } from 'node:process';
import { runCommand } from './run-command.ts';
import { aptGetWithUpdate } from './debian-packages.ts';
import { LabError } from './lab-error.ts';
import type { Say } from './say.ts';

/** What the lab machine runs, as absolute paths on this computer. */
export interface GuestFiles {
  readonly kernel: string;
  /** The directory of `modules.dep`. */
  readonly modules: string;
  /** A static busybox. */
  readonly busybox: string;
}

/** Packages that depend on the newest kernel; the cloud one is a third of the size and has all that a virtual machine needs. */
const KERNEL_PACKAGES = ['linux-image-cloud-amd64', 'linux-image-amd64'];
/** What such a package depends on: the kernel itself, and from Debian 14 its modules in a package of their own. */
const KERNEL_PARTS = /^\s*Depends: (linux-(?:image|modules|binary)-\S*\d\S*)$/gm;

/**
 * The lab machine's kernel and busybox, unpacked from Debian packages into the cache and never installed: this computer's own
 * boot stays as it is. What was fetched once is used from then on.
 * @throws LabError when they can't be had
 */
export async function fetchGuestFiles(say: Say, signal?: AbortSignal): Promise<GuestFiles> {
  const directory = join(cacheDirectory(), 'lab');
  const cached = await findGuestFiles(join(directory, 'guest'));
  if (cached !== undefined) return cached;
  if (arch() !== 'x64') throw new LabError(`the lab needs an x86-64 computer, and this one is ${arch()}`);
  await mkdir(directory, { recursive: true });
  const work = await mkdtemp(join(directory, 'fetch-'));
  try {
    await unpackPackages(work, say, signal);
    await chmod(work, 0o755);
    // Another lab may have been quicker; its copy is as good as this one.
    await rename(work, join(directory, 'guest')).catch(() => undefined);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const fetched = await findGuestFiles(join(directory, 'guest'));
  if (fetched === undefined) throw new LabError(`the packages in ${directory} hold no kernel, modules and busybox`);
  say(`kernel and busybox of the lab machine are in ${directory} (delete it to fetch newer ones)`);
  return fetched;
}

/** `/var/cache/rackboot` for root, else below the user's own cache (XDG Base Directory). */
export function cacheDirectory(): string {
  if (geteuid?.() === 0) return '/var/cache/rackboot';
  return join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'rackboot');
}

async function unpackPackages(work: string, say: Say, signal?: AbortSignal): Promise<void> {
  const packages = [...(await kernelPackages(signal)), 'busybox-static'];
  say(`fetching Debian packages for the lab machine: ${packages.join(' ')}`);
  await aptGetWithUpdate(['download', ...packages], signal, work);
  const archives = (await readdir(work)).filter((name) => name.endsWith('.deb'));
  for (const archive of archives) {
    const unpacked = await runCommand(['dpkg-deb', '-x', archive, '.'], { cwd: work, signal });
    if (unpacked.code !== 0) throw new LabError(`dpkg-deb could not unpack ${archive}: ${unpacked.output}`);
    await rm(join(work, archive));
  }
  await writeModulesDep(work, signal);
}

/** Names the package of the newest kernel, asking the mirror when the local lists know none. */
async function kernelPackages(signal?: AbortSignal): Promise<string[]> {
  const known = await dependsOf(signal);
  if (known.length > 0) return known;
  await aptGetWithUpdate(['update'], signal);
  const refreshed = await dependsOf(signal);
  if (refreshed.length > 0) return refreshed;
  throw new LabError(`no kernel package: expected ${KERNEL_PACKAGES.join(' or ')} in the package lists of apt`);
}

async function dependsOf(signal?: AbortSignal): Promise<string[]> {
  for (const name of KERNEL_PACKAGES) {
    const { stdout } = await runCommand(['apt-cache', 'depends', name], { signal });
    const parts = kernelParts(stdout);
    if (parts.length > 0) return parts;
  }
  return [];
}

/** The kernel packages in what `apt-cache depends` wrote. */
export function kernelParts(text: string): string[] {
  return [...text.matchAll(KERNEL_PARTS)].map((match) => match[1] ?? '');
}

/** `modules.dep` is written by the package's install script on a real system; here depmod makes it. */
async function writeModulesDep(root: string, signal?: AbortSignal): Promise<void> {
  const busybox = await firstThere(root, ['usr/bin/busybox', 'bin/busybox']);
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
  return { kernel: join(root, 'boot', kernel), modules, busybox };
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
