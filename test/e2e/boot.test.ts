import assert from 'node:assert/strict';
import { join } from 'node:path';
import { env, execPath, geteuid } from 'node:process';
import { before, describe, it, type TestContext } from 'node:test';
import type { BootWay } from '../../src/lab/boot-way.ts';
import { LabError } from '../../src/lab/lab-error.ts';
import { prepareLab } from '../../src/lab/open-lab.ts';
import { runLab } from '../../src/lab/run-lab.ts';

const RACKBOOT = [execPath, join(import.meta.dirname, '../../src/main.ts')];
/** Up to 60 s on an idle computer with two cores; all boots share them, with whatever else runs. */
const TIMEOUT_SECONDS = 240;
/** `npm run test:matrix` asks for the rows too that differ little from another one. */
const WANTS_ALL = env['RACKBOOT_MATRIX'] === 'all';

interface Row extends BootWay {
  readonly what: string;
  /** Phases, and lines that the machine told of itself, that only such a boot has. */
  readonly shows: readonly string[];
  readonly isExtra?: boolean;
}

const IPXE_SCRIPT = ['its script comes by HTTP', 'kernel comes by HTTP', 'initrd comes by HTTP'];
const GRUB = ['GRUB comes by TFTP', 'its own script comes by TFTP', 'kernel comes by TFTP'];
const PXELINUX = ['PXELINUX comes by TFTP', 'its library comes by TFTP', 'its script comes by TFTP'];
const BIOS = 'firmware: BIOS';
const UEFI = 'firmware: UEFI with 64 bits, SecureBoot=0';

const ROWS: readonly Row[] = [
  {
    what: 'SeaBIOS, an iPXE in its card',
    firmware: 'bios',
    loader: 'none',
    shows: [...IPXE_SCRIPT, BIOS],
  },
  {
    what: 'SeaBIOS, an iPXE in its card → PXELINUX',
    firmware: 'bios',
    loader: 'pxelinux',
    shows: ['to boot pxelinux.0', ...PXELINUX, 'kernel comes by TFTP', BIOS],
    isExtra: true,
  },
  {
    what: 'SeaBIOS, an iPXE in its card → the PXELINUX that knows HTTP',
    firmware: 'bios',
    loader: 'lpxelinux',
    shows: ['to boot lpxelinux/lpxelinux.0', ...PXELINUX, 'kernel comes by HTTP', BIOS],
    isExtra: true,
  },
  {
    what: 'SeaBIOS, a ROM that tells of itself no more than plain PXE does → undionly.kpxe',
    firmware: 'bios-pxe',
    loader: 'undionly',
    shows: ['to boot undionly.kpxe', 'loader comes by TFTP', ...IPXE_SCRIPT, BIOS],
  },
  {
    what: 'the same ROM → PXELINUX',
    firmware: 'bios-pxe',
    loader: 'pxelinux',
    shows: ['to boot pxelinux.0', ...PXELINUX, 'kernel comes by TFTP', BIOS],
  },
  {
    what: 'the same ROM → the PXELINUX that knows HTTP',
    firmware: 'bios-pxe',
    loader: 'lpxelinux',
    shows: ['to boot lpxelinux/lpxelinux.0', ...PXELINUX, 'kernel comes by HTTP', BIOS],
  },
  {
    what: 'OVMF, its PXE → snponly.efi',
    firmware: 'uefi',
    loader: 'snponly',
    shows: ['loader comes by TFTP', ...IPXE_SCRIPT, UEFI],
  },
  {
    what: 'OVMF, its PXE → ipxe.efi, with drivers of its own',
    firmware: 'uefi',
    loader: 'ipxe',
    shows: ['loader comes by TFTP', ...IPXE_SCRIPT, UEFI],
    isExtra: true,
  },
  {
    what: 'OVMF, its PXE → shim → GRUB',
    firmware: 'uefi',
    loader: 'shim',
    shows: ['shim comes by TFTP', ...GRUB, UEFI],
  },
  {
    what: 'OVMF, its PXE → GRUB',
    firmware: 'uefi',
    loader: 'grub',
    shows: ['to boot grubx64.efi', ...GRUB, UEFI],
    isExtra: true,
  },
  {
    what: 'OVMF, its HTTP boot → snponly.efi',
    firmware: 'uefi-http',
    loader: 'snponly',
    shows: ['loader comes by HTTP', ...IPXE_SCRIPT, UEFI],
  },
  {
    what: 'OVMF, its HTTP boot → ipxe.efi',
    firmware: 'uefi-http',
    loader: 'ipxe',
    shows: ['/ipxe.efi', 'loader comes by HTTP', ...IPXE_SCRIPT, UEFI],
    isExtra: true,
  },
  {
    what: 'OVMF with Secure Boot → shim → signed GRUB → signed kernel',
    firmware: 'secure-boot',
    loader: 'shim',
    shows: [
      'shim comes by TFTP',
      ...GRUB,
      'firmware: UEFI with 64 bits, SecureBoot=1',
      'Kernel is locked down from EFI Secure Boot',
    ],
  },
  {
    what: 'OVMF for 32-bit processors → GRUB → a 64-bit kernel',
    firmware: 'uefi-ia32',
    loader: 'grub',
    shows: ['to boot grubia32.efi', ...GRUB, 'firmware: UEFI with 32 bits, SecureBoot=0'],
  },
  {
    what: 'AAVMF for 64-bit ARM → shim → GRUB → an arm64 kernel',
    firmware: 'arm64',
    loader: 'shim',
    shows: ['to boot shimaa64.efi', 'shim comes by TFTP', ...GRUB, UEFI],
  },
  {
    what: 'AAVMF for 64-bit ARM → GRUB → an arm64 kernel',
    firmware: 'arm64',
    loader: 'grub',
    shows: ['to boot grubaa64.efi', ...GRUB, UEFI],
    isExtra: true,
  },
  {
    what: 'AAVMF for 64-bit ARM with Secure Boot → shim → signed GRUB → signed arm64 kernel',
    firmware: 'arm64-secure-boot',
    loader: 'shim',
    shows: [
      'to boot shimaa64.efi',
      ...GRUB,
      'firmware: UEFI with 64 bits, SecureBoot=1',
      'locked down from EFI Secure Boot',
    ],
    isExtra: true,
  },
];

/** What a row of the matrix would be that can't be had, and why. */
const NOT_TO_BE_HAD: readonly (readonly [string, string])[] = [
  [
    'OVMF, its HTTP boot → shim → GRUB',
    'tried: shim comes and fetches GRUB by HTTP, but the GRUB of Debian 12 (2.06-13+deb12u2) takes its address and its server from PXE alone and stops at its prompt; the rack therefore leaves such firmware to try PXE',
  ],
];

/** Why there can be no boot here, or false. */
const REASON_TO_SKIP = geteuid?.() === 0 ? false : 'network namespaces and taps need root';

/** Installs and fetches what the row needs; why that can't be had, or undefined. */
async function whyNot(row: Row): Promise<string | undefined> {
  try {
    await prepareLab(row, console.error);
    return undefined;
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    return error.message;
  }
}

async function boot({ firmware, loader, shows }: Row, t: TestContext): Promise<void> {
  const lines: string[] = [];
  const { signal } = t;
  const options = { way: { firmware, loader }, keep: false, timeoutSeconds: TIMEOUT_SECONDS, accel: 'tcg', signal };
  const code = await runLab({ ...options, rackboot: RACKBOOT }, (line) => lines.push(line));
  const told = lines.join('\n');
  assert.equal(code, 0, told);
  assert.ok(!told.includes('the phases above are not all'), told);
  for (const thing of shows) assert.ok(told.includes(thing), `${thing} is missing in:\n${told}`);
  const report = new Set(lines.slice(lines.indexOf('machine is up')));
  assert.ok(report.has('  name    node1'), told);
  assert.ok(report.has('  cores   2'), told);
  assert.ok(report.has('  disk    vda, 8.0 GiB'), told);
  assert.ok(report.has('  nic     eth0, 52:54:00:12:34:56'), told);
  const total = lines.find((line) => line.endsWith('  in all')) ?? '';
  t.diagnostic(`${firmware}, loader ${loader}: up after ${total.replace('  in all', '').trim()}`);
}

/** Two share the cores well, as each waits for much of its time; alone, what a row takes can be compared. */
const concurrency = WANTS_ALL ? 1 : 2;

describe('a real machine netboots from the rack', { concurrency, skip: REASON_TO_SKIP }, () => {
  const reasons = new Map<Row, string | undefined>();
  before(async () => {
    // One after the other: apt locks its lists
    for (const row of ROWS.filter(isWanted)) reasons.set(row, await whyNot(row));
  });

  for (const row of ROWS) {
    const skip = isWanted(row) ? false : 'much like another row; npm run test:matrix runs it';
    it(`${row.what}: from power-on to its report that it is up`, { skip }, async (t) => {
      const reason = reasons.get(row);
      if (reason === undefined) await boot(row, t);
      else t.skip(reason);
    });
  }
  for (const [what, why] of NOT_TO_BE_HAD) it(what, { skip: why }, () => undefined);
});

function isWanted({ isExtra = false }: Row): boolean {
  return WANTS_ALL || !isExtra;
}
