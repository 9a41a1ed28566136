import { copyFile, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { geteuid, pid } from 'node:process';
import { INITRD_PATH, KERNEL_PATH, labConfig } from './config.ts';
import { BOARDS, type Firmware, type GuestArchitecture } from './firmware.ts';
import type { FetchedLoader } from './loader.ts';
import type { GuestFiles } from './guest-files.ts';
import { buildInitrd } from './initrd.ts';
import { createMirrorKey, writeMirror, type LabMirror } from './mirror.ts';
import { BRIDGE, isStaleLabName, labName } from './network.ts';

/** What a lab's rack serves, as it is on this computer. */
export interface LabFiles {
  readonly guest: GuestFiles;
  readonly firmware: Firmware;
  readonly loader: FetchedLoader;
  /** Its machine boots an image of these files, which the rack imports. */
  readonly isImage?: boolean;
}

/** One run's directory, in which everything is made that the run needs. */
export interface Workspace {
  readonly directory: string;
  /** Its last part: unique on this computer, and so also the namespace's name. */
  readonly name: string;
  readonly config: string;
  close(): Promise<void>;
}

/** A fresh directory with the rack's config and the boot files. */
export async function createWorkspace({ guest, firmware, loader, isImage = false }: LabFiles): Promise<Workspace> {
  const directory = await mkdtemp(join(tmpdir(), `${labName(pid)}-`));
  const close = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    const config = join(directory, 'rackboot.yaml');
    const files = join(directory, 'files');
    await writeBootFiles(files, guest);
    const [state, control] = [join(directory, 'state'), join(directory, 'control.sock')];
    await installLoader(join(state, 'loaders'), loader);
    const places = { state, control, files, interface: BRIDGE };
    const { kernelWords, architecture } = BOARDS[firmware];
    const mirror = isImage ? await writeLabMirror(directory, files, architecture) : undefined;
    await writeFile(config, labConfig({ ...places, kernelWords, mirror, loaders: loader.config }));
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
}

async function writeLabMirror(directory: string, files: string, architecture: GuestArchitecture): Promise<LabMirror> {
  return writeMirror(join(directory, 'mirror'), await createMirrorKey(), {
    architecture,
    kernel: join(files, KERNEL_PATH),
    initrd: join(files, INITRD_PATH),
    version: '20260101',
  });
}

/** Puts the loader where `rackboot loaders install` does. */
async function installLoader(directory: string, { files }: FetchedLoader): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const [name, file] of files) await copyFile(file, join(directory, name));
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
