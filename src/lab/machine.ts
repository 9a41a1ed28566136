import { copyFile, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { LabNetwork, LabProcess } from './network.ts';
import { readSerial, type SerialConsole } from './serial-console.ts';
import { stopProcess } from './stop-process.ts';

/**
 * `bios`: SeaBIOS, whose network card brings iPXE in its ROM. `uefi`: OVMF with its own PXE. `uefi-http`: OVMF with its own
 * HTTP boot.
 */
export const FIRMWARES = ['bios', 'uefi', 'uefi-http'] as const;
export type Firmware = (typeof FIRMWARES)[number];

export interface MachineSettings {
  /** Where its disk, its firmware's variables and the serial log are put. */
  readonly directory: string;
  readonly tap: string;
  /** 52:54:00:12:34:56 */
  readonly mac: string;
  readonly firmware: Firmware;
  /** QEMU's accelerator. `tcg` works everywhere; `kvm` hangs in real mode inside some virtual machines. */
  readonly accel: string;
  readonly cores: number;
  readonly memoryMebibytes: number;
  readonly diskBytes: number;
}

/** A virtual machine that is switched on. */
export interface Machine {
  readonly serial: SerialConsole;
  /** Settles when QEMU has ended: with its complaint, or undefined when it ended well. */
  readonly exited: Promise<string | undefined>;
  /** Switches it off. */
  stop(): Promise<void>;
}

const OVMF = '/usr/share/OVMF';
/** OVMF makes no boot options for PXE then; with them it would try that first, for a minute and a half. */
const NO_PXE = ['IPv4', 'IPv6'].flatMap((ip) => ['-fw_cfg', `name=opt/org.tianocore/${ip}PXESupport,string=n`]);

/** Makes an empty disk, and switches the machine on inside the network. */
export async function startMachine(network: LabNetwork, settings: MachineSettings): Promise<Machine> {
  const { directory } = settings;
  await makeSparse(join(directory, 'disk.raw'), settings.diskBytes);
  if (settings.firmware !== 'bios') await copyFile(`${OVMF}/OVMF_VARS_4M.fd`, join(directory, 'vars.fd'));
  const child = network.exec(['qemu-system-x86_64', ...qemuArguments(settings)]);
  const serial = readSerial(child.stdout, join(directory, 'serial.log'));
  return { serial, exited: exitOf(child), stop: () => stopProcess(child) };
}

/** QEMU's command line for a machine. */
export function qemuArguments(settings: MachineSettings): string[] {
  const { directory, accel, firmware } = settings;
  // SeaBIOS and its ROMs write to the serial console only on a machine without graphics.
  return [
    ['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-monitor', 'none'],
    ['-machine', 'q35,graphics=off', '-accel', accel === 'tcg' ? 'tcg,thread=multi' : accel, '-cpu', 'max'],
    ['-smp', String(settings.cores), '-m', String(settings.memoryMebibytes)],
    firmwareArguments(firmware, directory),
    ['-drive', `if=none,id=disk0,format=raw,file=${join(directory, 'disk.raw')}`],
    ['-device', 'virtio-blk-pci,drive=disk0,bootindex=1'],
    ['-netdev', `tap,id=net0,ifname=${settings.tap},script=no,downscript=no`],
    ['-device', networkCard(settings)],
    ['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
  ].flat();
}

function firmwareArguments(firmware: Firmware, directory: string): string[] {
  if (firmware === 'bios') return [];
  return [
    ['-drive', `if=pflash,unit=0,format=raw,readonly=on,file=${OVMF}/OVMF_CODE_4M.fd`],
    ['-drive', `if=pflash,unit=1,format=raw,file=${join(directory, 'vars.fd')}`],
    firmware === 'uefi-http' ? NO_PXE : [],
  ].flat();
}

/** Without `bootindex=0` OVMF tries its other boot options first; without `romfile=` iPXE takes the place of its own PXE. */
function networkCard({ mac, firmware }: MachineSettings): string {
  const card = `virtio-net-pci,netdev=net0,mac=${mac},bootindex=0`;
  return firmware === 'bios' ? card : `${card},romfile=`;
}

async function makeSparse(file: string, bytes: number): Promise<void> {
  await using handle = await open(file, 'w');
  await handle.truncate(bytes);
}

async function exitOf(child: LabProcess): Promise<string | undefined> {
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const code = await new Promise<number | null | Error>((resolve) => {
    child.once('close', resolve).once('error', resolve);
  });
  if (code === 0) return undefined;
  return code instanceof Error ? code.message : complaint.trim() || `exit code ${code ?? 'none, ended by a signal'}`;
}
