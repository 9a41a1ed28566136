import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync, gzipSync, zstdDecompressSync } from 'node:zlib';
import { writeCpio, type CpioEntry } from './cpio.ts';
import type { GuestFiles } from './guest-files.ts';
import { INIT_SCRIPT, LEASE_SCRIPT } from './init-script.ts';
import { moduleLoadOrder, moduleName, parseModulesDep } from './kernel-modules.ts';

/** What the lab machine's card and disk need, the usual card of other virtual machines, and the variables of UEFI. */
const WANTED_MODULES = ['virtio_pci', 'virtio_net', 'virtio_blk', 'e1000', 'af_packet', 'efivarfs'];
const DIRECTORIES = ['bin', 'dev', 'etc', 'modules', 'proc', 'run', 'sys', 'tmp'];

/** The lab machine's initramfs: busybox, the kernel modules it needs, and the init script; a gzipped cpio archive. */
export async function buildInitrd(guest: GuestFiles): Promise<Uint8Array> {
  const modules = await loadModules(guest.modules, guest.tools);
  const order = modules.map((module) => `${module.name}\n`).join('');
  const entries: CpioEntry[] = [
    ...DIRECTORIES.map((path): CpioEntry => ({ kind: 'directory', path })),
    { kind: 'character', path: 'dev/console', major: 5, minor: 1 },
    { kind: 'file', path: 'bin/busybox', bytes: await readFile(guest.busybox), mode: 0o755 },
    { kind: 'file', path: 'init', bytes: Buffer.from(INIT_SCRIPT), mode: 0o755 },
    { kind: 'file', path: 'lease-script', bytes: Buffer.from(LEASE_SCRIPT), mode: 0o755 },
    { kind: 'file', path: 'modules/order', bytes: Buffer.from(order) },
    ...modules.map((module): CpioEntry => ({ kind: 'file', path: `modules/${module.name}`, bytes: module.bytes })),
  ];
  return gzipSync(writeCpio(entries));
}

interface KernelModule {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The wanted modules in the order they are to be loaded, unpacked: busybox insmod need not know the compression. */
async function loadModules(directory: string, busybox: string): Promise<KernelModule[]> {
  const dependencies = parseModulesDep(await readFile(join(directory, 'modules.dep'), 'utf8'));
  const order = moduleLoadOrder(dependencies, WANTED_MODULES);
  return Promise.all(
    order.map(async (path) => ({
      name: `${moduleName(path)}.ko`,
      bytes: await readModule(join(directory, path), busybox),
    })),
  );
}

async function readModule(file: string, busybox: string): Promise<Uint8Array> {
  if (file.endsWith('.xz')) return unpackXz(file, busybox);
  const bytes = await readFile(file);
  if (file.endsWith('.zst')) return zstdDecompressSync(bytes);
  return file.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

/** Node has no xz of its own, busybox does. */
async function unpackXz(file: string, busybox: string): Promise<Uint8Array> {
  const options = { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 } as const;
  const { stdout } = await promisify(execFile)(busybox, ['xz', '-dc', file], options);
  return stdout;
}
