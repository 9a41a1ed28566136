/**
 * `bios`: SeaBIOS, whose network card brings iPXE in its ROM. `bios-pxe`: the same, taken for an iPXE by nobody (see
 * `PlainPxeWire`). `uefi`: OVMF with its own PXE. `uefi-http`: OVMF with its own HTTP boot. `secure-boot`: OVMF with its own
 * PXE that starts only what Microsoft's keys vouch for. `uefi-ia32`: OVMF for 32-bit processors. `arm64`: AAVMF with its own PXE;
 * `arm64-secure-boot`: the same, and it starts only what Microsoft's keys vouch for.
 */
export const FIRMWARES = [
  'bios',
  'bios-pxe',
  'uefi',
  'uefi-http',
  'secure-boot',
  'uefi-ia32',
  'arm64',
  'arm64-secure-boot',
] as const;
export type Firmware = (typeof FIRMWARES)[number];

/** The processor of a lab machine, in Debian's words. */
export type GuestArchitecture = 'amd64' | 'arm64';

/** What QEMU is told for one firmware. */
export interface Board {
  readonly architecture: GuestArchitecture;
  readonly program: string;
  readonly arguments: readonly string[];
  /** Absent: SeaBIOS, which QEMU brings. The code is shared, of the variables each machine gets a copy. */
  readonly flash?: { readonly code: string; readonly variables: string };
  /** The card keeps its ROM, which is an iPXE. */
  readonly hasCardRom?: true;
  /** What its kernel is told: where the serial console is, and to switch the machine off after a panic. */
  readonly kernelWords: string;
}

const OVMF = '/usr/share/OVMF';
const AAVMF = '/usr/share/AAVMF';
/** The timer check counts ticks in real time, of which an emulated machine on a busy computer may get none: a panic before its time. */
const X86_WORDS = 'console=ttyS0 panic=-1 no_timer_check';
/** SeaBIOS and its ROMs write to the serial console only on a machine without graphics. */
const Q35 = 'q35,graphics=off';
/** OVMF makes no boot options for PXE then; with them it would try that first, for a minute and a half. */
const NO_PXE = ['IPv4', 'IPv6'].flatMap((ip) => ['-fw_cfg', `name=opt/org.tianocore/${ip}PXESupport,string=n`]);
/** The firmware's variables can be written from System Management Mode only: without, OVMF for Secure Boot does not start. */
const GUARDED_VARIABLES = ['-global', 'driver=cfi.pflash01,property=secure,value=on'];

const SEABIOS: Board = {
  architecture: 'amd64',
  program: 'qemu-system-x86_64',
  arguments: ['-machine', Q35, '-cpu', 'max'],
  hasCardRom: true,
  kernelWords: X86_WORDS,
};

const UEFI: Board = {
  architecture: 'amd64',
  program: 'qemu-system-x86_64',
  arguments: ['-machine', Q35, '-cpu', 'max'],
  flash: { code: `${OVMF}/OVMF_CODE_4M.fd`, variables: `${OVMF}/OVMF_VARS_4M.fd` },
  kernelWords: X86_WORDS,
};

const SECURE_BOOT: Board = {
  ...UEFI,
  arguments: ['-machine', `${Q35},smm=on`, '-cpu', 'max', ...GUARDED_VARIABLES],
  flash: { code: `${OVMF}/OVMF_CODE_4M.ms.fd`, variables: `${OVMF}/OVMF_VARS_4M.ms.fd` },
};

const UEFI_IA32: Board = {
  ...UEFI,
  arguments: SECURE_BOOT.arguments,
  flash: { code: `${OVMF}/OVMF32_CODE_4M.secboot.fd`, variables: `${OVMF}/OVMF32_VARS_4M.fd` },
};

const ARM64: Board = {
  architecture: 'arm64',
  program: 'qemu-system-aarch64',
  arguments: ['-machine', 'virt', '-cpu', 'cortex-a57'],
  flash: { code: `${AAVMF}/AAVMF_CODE.fd`, variables: `${AAVMF}/AAVMF_VARS.fd` },
  kernelWords: 'console=ttyAMA0 panic=-1',
};

export const BOARDS: Readonly<Record<Firmware, Board>> = {
  bios: SEABIOS,
  'bios-pxe': SEABIOS,
  uefi: UEFI,
  'uefi-http': { ...UEFI, arguments: [...UEFI.arguments, ...NO_PXE] },
  'secure-boot': SECURE_BOOT,
  'uefi-ia32': UEFI_IA32,
  arm64: ARM64,
  'arm64-secure-boot': {
    ...ARM64,
    flash: { code: `${AAVMF}/AAVMF_CODE.ms.fd`, variables: `${AAVMF}/AAVMF_VARS.ms.fd` },
  },
};
