import { LAB } from './config.ts';
import { ensurePackages, LAB_PACKAGES } from './debian-packages.ts';
import type { BootWay } from './boot-way.ts';
import { BOARDS } from './firmware.ts';
import { fetchGuestFiles } from './guest-files.ts';
import { fetchLoader } from './loader.ts';
import { startMachine, type Machine } from './machine.ts';
import { createLabNetwork, sweepStaleNetworks, type LabNetwork } from './network.ts';
import type { Say } from './say.ts';
import { startRack, type RackProcess } from './rack-process.ts';
import { createWorkspace, sweepStaleWorkspaces, type LabFiles, type Workspace } from './workspace.ts';

/** What a machine is made of. */
export interface LabHardware {
  readonly accel: string;
  readonly cores: number;
  readonly memoryMebibytes: number;
  readonly diskBytes: number;
}

/** A network with a rack that serves it, and machines that can be switched on; closing it leaves nothing behind. */
export interface Lab extends AsyncDisposable {
  readonly workspace: Workspace;
  readonly network: LabNetwork;
  readonly rack: RackProcess;
  switchOn(hardware: LabHardware): Promise<Machine>;
}

/**
 * Installs and fetches what a lab needs and this computer has not.
 * @throws LabError with what can't be had
 */
export async function prepareLab(way: BootWay, say: Say, signal?: AbortSignal): Promise<LabFiles> {
  const { firmware, loader, content = 'image' } = way;
  await ensurePackages(LAB_PACKAGES[firmware], say, signal);
  const guest = await fetchGuestFiles(say, signal, BOARDS[firmware].architecture);
  return { guest, firmware, loader: await fetchLoader(firmware, loader, say, signal), isImage: content === 'image' };
}

/**
 * Installs what is missing, makes the network, and starts the daemon in it: `rackboot` is its command line without words of
 * its own, such as node and the main file. Resolves when the rack serves. Needs root.
 * @throws LabError with what is missing or went wrong
 */
export async function openLab(rackboot: readonly string[], way: BootWay, say: Say, signal: AbortSignal): Promise<Lab> {
  const files = await prepareLab(way, say, signal);
  await sweepStaleNetworks();
  await sweepStaleWorkspaces();
  await using stack = new AsyncDisposableStack();
  const workspace = stack.adopt(await createWorkspace(files), (made) => made.close());
  const settings = { name: workspace.name, address: `${LAB.rack}/${LAB.prefix}`, taps: 1 };
  const network = stack.adopt(await createLabNetwork(settings), (made) => made.close());
  const rack = stack.adopt(startRack(network, workspace, rackboot), (made) => made.stop());
  await rack.ready(signal);
  if (files.isImage === true) await rack.imported(signal);
  const whole = stack.move();
  return {
    workspace,
    network,
    rack,
    async switchOn(hardware) {
      const tap = network.taps[0] ?? '';
      const own = { tap, mac: LAB.machine.mac, directory: workspace.directory, firmware: way.firmware };
      return whole.adopt(await startMachine(network, { ...hardware, ...own }), (made) => made.stop());
    },
    [Symbol.asyncDispose]: () => whole.disposeAsync(),
  };
}
