import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { aptGetWithUpdate } from '../../src/lab/debian-packages.ts';
import { cacheDirectory } from '../../src/lab/guest-files.ts';
import { runCommand } from '../../src/lab/run-command.ts';

/**
 * A program of a Debian package that is unpacked into the cache and never installed: tftpd-hpa and atftpd exclude one
 * another. What was fetched once is used from then on.
 */
export async function unpackedProgram(packageName: string, program: string): Promise<string> {
  const directory = join(cacheDirectory(), 'bench');
  const root = join(directory, packageName);
  if (!existsSync(root)) await fetchPackage(packageName, directory, root);
  const path = join(root, program);
  if (!existsSync(path)) throw new Error(`the Debian package ${packageName} holds no ${program}`);
  return path;
}

async function fetchPackage(packageName: string, directory: string, root: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const work = await mkdtemp(join(directory, 'fetch-'));
  try {
    await aptGetWithUpdate(['download', packageName], undefined, work);
    const archive = (await readdir(work)).find((name) => name.endsWith('.deb')) ?? '';
    const unpacked = await runCommand(['dpkg-deb', '-x', archive, 'root'], { cwd: work });
    if (unpacked.code !== 0) throw new Error(`dpkg-deb could not unpack ${archive}: ${unpacked.output}`);
    await rename(join(work, 'root'), root);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
