import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { cacheDirectory } from '../../src/lab/guest-files.ts';
import { fillDirectory, openApt, unpackPackages } from '../../src/lab/unpack-packages.ts';

/**
 * A program of a Debian package that is unpacked into the cache and never installed: tftpd-hpa and atftpd exclude one
 * another. What was fetched once is used from then on.
 */
export async function unpackedProgram(packageName: string, program: string): Promise<string> {
  const root = join(cacheDirectory(), 'bench', packageName);
  if (!existsSync(root)) {
    const apt = await openApt(undefined, root);
    await fillDirectory(root, (work) => unpackPackages(apt, [packageName], work));
  }
  const path = join(root, program);
  if (!existsSync(path)) throw new Error(`the Debian package ${packageName} holds no ${program}`);
  return path;
}
