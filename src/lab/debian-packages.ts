import { constants } from 'node:fs';
import { access, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { env, geteuid, pid } from 'node:process';
import { runCommand } from './run-command.ts';
import { LabError } from './lab-error.ts';
import type { Say } from './say.ts';
import type { Firmware } from './firmware.ts';
import { isAlive } from './is-alive.ts';

/** A Debian package, and what of it is used: an absolute path, or the name of a command. */
export interface PackageNeed {
  readonly package: string;
  readonly provides: readonly string[];
}

export const POSTGRESQL: PackageNeed = { package: 'postgresql', provides: ['psql', '/usr/lib/postgresql'] };
const NETWORK: PackageNeed = { package: 'iproute2', provides: ['ip'] };
const QEMU_X86: PackageNeed = { package: 'qemu-system-x86', provides: ['qemu-system-x86_64'] };
const QEMU_ARM: PackageNeed = { package: 'qemu-system-arm', provides: ['qemu-system-aarch64'] };
const OVMF = '/usr/share/OVMF';
const AAVMF = '/usr/share/AAVMF';
const SEABIOS = [NETWORK, QEMU_X86, { package: 'ipxe-qemu', provides: ['/usr/lib/ipxe/qemu/efi-virtio.rom'] }];
const UEFI = [NETWORK, QEMU_X86, { package: 'ovmf', provides: [`${OVMF}/OVMF_CODE_4M.fd`, `${OVMF}/OVMF_VARS_4M.fd`] }];
const MICROSOFT_KEYS = { package: 'ovmf', provides: [`${OVMF}/OVMF_CODE_4M.ms.fd`, `${OVMF}/OVMF_VARS_4M.ms.fd`] };

/**
 * What the lab uses on this computer. Kernel, busybox and loader of the lab machine are not installed: see `fetchGuestFiles`
 * and `fetchLoader`.
 */
export const LAB_PACKAGES: Readonly<Record<Firmware, readonly PackageNeed[]>> = {
  bios: SEABIOS,
  'bios-pxe': SEABIOS,
  uefi: UEFI,
  'uefi-http': UEFI,
  'secure-boot': [NETWORK, QEMU_X86, MICROSOFT_KEYS],
  'uefi-ia32': [NETWORK, QEMU_X86, { package: 'ovmf-ia32', provides: [`${OVMF}/OVMF32_CODE_4M.secboot.fd`] }],
  arm64: [NETWORK, QEMU_ARM, { package: 'qemu-efi-aarch64', provides: [`${AAVMF}/AAVMF_CODE.fd`] }],
  'arm64-secure-boot': [NETWORK, QEMU_ARM, { package: 'qemu-efi-aarch64', provides: [`${AAVMF}/AAVMF_VARS.ms.fd`] }],
};

/** The programs that the tests put in front of the rack. */
export const TEST_CLIENT_PACKAGES: readonly PackageNeed[] = [
  { package: 'iproute2', provides: ['ip'] },
  { package: 'udhcpc', provides: ['udhcpc'] },
  { package: 'isc-dhcp-client', provides: ['dhclient'] },
  { package: 'dhcpcd-base', provides: ['dhcpcd'] },
  { package: 'systemd', provides: ['/lib/systemd/systemd-networkd'] },
  { package: 'bind9-dnsutils', provides: ['dig', 'delv', 'nslookup', 'nsupdate'] },
  { package: 'bind9-host', provides: ['host'] },
  { package: 'bind9-utils', provides: ['named-checkzone'] },
  { package: 'bind9', provides: ['named'] },
  { package: 'knot', provides: ['knotd'] },
  { package: 'knot-dnssecutils', provides: ['kzonecheck'] },
  { package: 'knot-dnsutils', provides: ['kdig'] },
  { package: 'ldnsutils', provides: ['drill'] },
  { package: 'nsd', provides: ['nsd'] },
  { package: 'unbound', provides: ['unbound'] },
  { package: 'curl', provides: ['curl'] },
  { package: 'atftp', provides: ['atftp'] },
  { package: 'tftp-hpa', provides: ['tftp'] },
  { package: 'busybox-static', provides: ['busybox'] },
  { package: 'dnsmasq-base', provides: ['dnsmasq'] },
  { package: 'isc-dhcp-relay', provides: ['dhcrelay'] },
  { package: 'kea-admin', provides: ['perfdhcp'] },
  { package: 'tcpdump', provides: ['tcpdump'] },
  { package: 'tshark', provides: ['tshark'] },
  { package: 'faketime', provides: ['faketime'] },
  POSTGRESQL,
];

/** Also the places where an ordinary user's PATH does not look. */
const COMMAND_PLACES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
/** How long to wait for another apt, such as the one that installs security updates after boot. */
const LOCK_SECONDS = 120;
const POLICY_FILE = '/usr/sbin/policy-rc.d';
const POLICY_MARK = '# Put here by rackboot lab, process ';

export type Exists = (path: string) => Promise<boolean>;

/** The packages of which something is not there, in the order of the list. */
export async function missingPackages(
  needs: readonly PackageNeed[],
  exists: Exists = fileExists,
): Promise<PackageNeed[]> {
  const checked = await Promise.all(
    needs.map(async (need) => {
      const found = await Promise.all(need.provides.map((thing) => provided(thing, exists)));
      return { need, whole: found.every(Boolean) };
    }),
  );
  return checked.filter(({ whole }) => !whole).map(({ need }) => need);
}

async function provided(thing: string, exists: Exists): Promise<boolean> {
  if (thing.startsWith('/')) return exists(thing);
  const places = new Set([...(env.PATH ?? '').split(':').filter((place) => place !== ''), ...COMMAND_PLACES]);
  const found = await Promise.all([...places].map((place) => exists(join(place, thing))));
  return found.some(Boolean);
}

/**
 * Installs what is missing when that is possible: as root, with apt-get.
 * @throws LabError that names what is missing and the command to run
 */
export async function ensurePackages(needs: readonly PackageNeed[], say: Say, signal?: AbortSignal): Promise<void> {
  const missing = await missingPackages(needs);
  if (missing.length === 0) return;
  if (geteuid?.() !== 0 || !(await provided('apt-get', fileExists))) throw new LabError(missingText(missing));
  const names = missing.map((need) => need.package);
  say(`installing Debian packages: ${names.join(' ')}`);
  await withoutServiceStarts(() =>
    aptGetWithUpdate(['install', '-y', '--no-install-recommends', ...names], { signal }),
  );
  const still = await missingPackages(needs);
  if (still.length > 0) throw new LabError(`apt-get installed the packages, and yet: ${missingText(still)}`);
}

/** What is missing, and the command that brings it. */
export function missingText(missing: readonly PackageNeed[]): string {
  const lines = missing.map((need) => `  ${need.package} (${need.provides.join(', ')})`);
  const names = missing.map((need) => need.package).join(' ');
  return ['missing Debian packages:', ...lines, `install them with: apt-get install ${names}`].join('\n');
}

export interface AptGetOptions {
  /** apt's own, for which lists it refreshes as well as what it does. */
  readonly settings?: readonly string[];
  readonly signal?: AbortSignal | undefined;
  readonly cwd?: string;
}

/**
 * Runs apt-get; when that fails, refreshes the package lists and tries once more: lists may be absent or older than the mirror.
 * @throws LabError with the last lines apt-get wrote
 */
export async function aptGetWithUpdate(
  args: readonly string[],
  { settings = [], ...place }: AptGetOptions = {},
): Promise<void> {
  const options = { env: { DEBIAN_FRONTEND: 'noninteractive' }, ...place };
  const aptGet = ['apt-get', '-o', `DPkg::Lock::Timeout=${LOCK_SECONDS}`, ...settings];
  const first = await runCommand([...aptGet, ...args], options);
  if (first.code === 0) return;
  await runCommand([...aptGet, 'update'], options);
  const second = await runCommand([...aptGet, ...args], options);
  if (second.code === 0) return;
  const tail = second.output.split('\n').slice(-8).join('\n');
  throw new LabError(`apt-get ${args.join(' ')} failed with exit code ${second.code}:\n${tail}`);
}

/** Debian starts the services of a package it installs unless `policy-rc.d` says 101; a file that is there already is left. */
async function withoutServiceStarts(work: () => Promise<void>): Promise<void> {
  await removeStalePolicy();
  const ours = await writeFile(POLICY_FILE, `#!/bin/sh\n${POLICY_MARK}${pid}\nexit 101\n`, { flag: 'wx', mode: 0o755 })
    .then(() => true)
    .catch(() => false);
  try {
    await work();
  } finally {
    if (ours) await rm(POLICY_FILE, { force: true });
  }
}

/** One that a lab left behind because it was killed in the middle. */
async function removeStalePolicy(): Promise<void> {
  const text = await readFile(POLICY_FILE, 'utf8').catch(() => '');
  const owner = new RegExp(`^${POLICY_MARK}(\\d+)$`, 'm').exec(text)?.[1];
  if (owner !== undefined && !isAlive(Number(owner))) await rm(POLICY_FILE, { force: true });
}

async function fileExists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}
