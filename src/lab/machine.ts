import { copyFile, open } from 'node:fs/promises';
import { join } from 'node:path';
import { BOARDS, type Board, type Firmware } from './firmware.ts';
import type { LabNetwork, LabProcess } from './network.ts';
import { openPlainPxeWire } from './plain-pxe-wire.ts';
import { readSerial, type SerialConsole } from './serial-console.ts';
import { stopProcess } from './stop-process.ts';

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

/** Makes an empty disk, and switches the machine on inside the network. */
export async function startMachine(network: LabNetwork, settings: MachineSettings): Promise<Machine> {
  const { directory } = settings;
  const { program, flash } = BOARDS[settings.firmware];
  await makeSparse(join(directory, 'disk.raw'), settings.diskBytes);
  if (flash !== undefined) await copyFile(flash.variables, join(directory, 'vars.fd'));
  const wire = settings.firmware === 'bios-pxe' ? await openPlainPxeWire(directory, settings.tap) : undefined;
  const child = network.exec([program, ...qemuArguments(settings, wire?.arguments)]);
  const serial = readSerial(child.stdout, join(directory, 'serial.log'));
  const stop = async (): Promise<void> => {
    await stopProcess(child);
    await wire?.[Symbol.asyncDispose]();
  };
  return { serial, exited: exitOf(child), stop };
}

/** QEMU's command line for a machine; `net0`: what its card hangs on, else the tap. */
export function qemuArguments(settings: MachineSettings, net0?: readonly string[]): string[] {
  const { directory, accel, firmware } = settings;
  const board = BOARDS[firmware];
  return [
    ['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-monitor', 'none'],
    ['-accel', accel === 'tcg' ? 'tcg,thread=multi' : accel, ...board.arguments],
    ['-smp', String(settings.cores), '-m', String(settings.memoryMebibytes)],
    flashArguments(board, directory),
    ['-drive', `if=none,id=disk0,format=raw,file=${join(directory, 'disk.raw')}`],
    ['-device', 'virtio-blk-pci,drive=disk0,bootindex=1'],
    net0 ?? ['-netdev', `tap,id=net0,ifname=${settings.tap},script=no,downscript=no`],
    ['-device', networkCard(settings.mac, board)],
    ['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
  ].flat();
}

function flashArguments({ flash }: Board, directory: string): string[] {
  if (flash === undefined) return [];
  return [
    ['-drive', `if=pflash,unit=0,format=raw,readonly=on,file=${flash.code}`],
    ['-drive', `if=pflash,unit=1,format=raw,file=${join(directory, 'vars.fd')}`],
  ].flat();
}

/** Without `bootindex=0` OVMF tries its other boot options first; without `romfile=` iPXE takes the place of its own PXE. */
function networkCard(mac: string, { hasCardRom }: Board): string {
  const card = `virtio-net-pci,netdev=net0,mac=${mac},bootindex=0`;
  return hasCardRom ? card : `${card},romfile=`;
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
