import { copyFile, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { geteuid, pid } from 'node:process';
import { INITRD_PATH, KERNEL_PATH, labConfig } from './config.ts';
import type { GuestFiles } from './guest-files.ts';
import { buildInitrd } from './initrd.ts';
import { BRIDGE, isStaleLabName, labName } from './network.ts';

/** One run's directory, in which everything is made that the run needs. */
export interface Workspace {
  readonly directory: string;
  /** Its last part: unique on this computer, and so also the namespace's name. */
  readonly name: string;
  readonly config: string;
  close(): Promise<void>;
}

const LOADERS = ['undionly.kpxe', 'snponly.efi'];

/** A fresh directory with the rack's config and the boot files. */
export async function createWorkspace(guest: GuestFiles): Promise<Workspace> {
  const directory = await mkdtemp(join(tmpdir(), `${labName(pid)}-`));
  const close = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    const config = join(directory, 'rackboot.yaml');
    const files = join(directory, 'files');
    await writeBootFiles(files, guest);
    const [state, control] = [join(directory, 'state'), join(directory, 'control.sock')];
    await writeFile(config, labConfig({ state, control, files, interface: BRIDGE }));
    return { directory, name: basename(directory), config, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function writeBootFiles(files: string, guest: GuestFiles): Promise<void> {
  await mkdir(join(files, 'lab'), { recursive: true });
  await copyFile(guest.kernel, join(files, KERNEL_PATH));
  await writeFile(join(files, INITRD_PATH), await buildInitrd(guest));
  for (const loader of LOADERS) await copyFile(join('/usr/lib/ipxe', loader), join(files, loader));
}

/** Removes the directories of labs whose process is gone. */
export async function sweepStaleWorkspaces(): Promise<void> {
  const stale = (await readdir(tmpdir())).filter((name) => isStaleLabName(name));
  for (const name of stale) {
    const directory = join(tmpdir(), name);
    const owner = await stat(directory).catch(() => undefined);
    if (owner?.uid === geteuid?.()) await rm(directory, { recursive: true, force: true });
  }
}
