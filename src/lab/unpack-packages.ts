import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { aptGetWithUpdate } from './debian-packages.ts';
import { LabError } from './lab-error.ts';
import { runCommand } from './run-command.ts';

/** apt as it is set up for one architecture: options that go before its own words. */
export interface Apt {
  readonly options: readonly string[];
  /** Runs apt-get in `cwd`, with fresh lists if it fails. @throws LabError */
  get(args: readonly string[], cwd: string): Promise<void>;
  /** What a package depends on, as `apt-cache depends` writes it; empty when apt does not know the package. */
  depends(name: string): Promise<string>;
  /** Fetches the lists of what there is. */
  update(): Promise<void>;
}

/** What Node calls this computer's architecture, as Debian calls it. */
const OWN: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/**
 * apt for packages of an architecture, or, without one, for those that are the same for all. This computer's own are asked of its own apt. For any other, apt is given lists, cache
 * and a status file of its own below `directory`, so that `dpkg --add-architecture` need not be told, and nothing of the
 * computer's own apt changes.
 */
export async function openApt(architecture: string | undefined, directory: string, signal?: AbortSignal): Promise<Apt> {
  const isOwn = architecture === undefined || architecture === OWN[arch()];
  const options = isOwn ? [] : await privateApt(architecture, directory);
  return {
    options,
    get: (args, cwd) => aptGetWithUpdate(args, { settings: options, signal, cwd }),
    depends: async (name) => (await runCommand(['apt-cache', ...options, 'depends', name], { signal })).stdout,
    update: () => aptGetWithUpdate(['update'], { settings: options, signal }),
  };
}

async function privateApt(architecture: string, directory: string): Promise<string[]> {
  const state = join(directory, 'apt');
  await mkdir(join(state, 'lists/partial'), { recursive: true });
  await mkdir(join(state, 'archives/partial'), { recursive: true });
  await writeFile(join(state, 'status'), '');
  const settings = [
    `APT::Architecture=${architecture}`,
    `APT::Architectures::=${architecture}`,
    `Dir::State=${state}`,
    `Dir::State::status=${join(state, 'status')}`,
    `Dir::Cache=${state}`,
  ];
  return settings.flatMap((setting) => ['-o', setting]);
}

/**
 * Fills a directory at once or not at all: `fill` gets an empty one beside it, which then takes its name. Where another lab
 * was quicker, its copy is as good as this one.
 */
export async function fillDirectory(directory: string, fill: (work: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(directory), { recursive: true });
  const work = await mkdtemp(join(dirname(directory), `fetch-${basename(directory)}-`));
  try {
    await fill(work);
    await chmod(work, 0o755);
    await rename(work, directory).catch(() => undefined);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Downloads packages and unpacks them into `root`, installing nothing. @throws LabError */
export async function unpackPackages(
  apt: Apt,
  packages: readonly string[],
  root: string,
  signal?: AbortSignal,
): Promise<void> {
  await apt.get(['download', ...packages], root);
  const archives = (await readdir(root)).filter((name) => name.endsWith('.deb'));
  for (const archive of archives) {
    const unpacked = await runCommand(['dpkg-deb', '-x', archive, '.'], { cwd: root, signal });
    if (unpacked.code !== 0) throw new LabError(`dpkg-deb could not unpack ${archive}: ${unpacked.output}`);
    await rm(join(root, archive));
  }
}
