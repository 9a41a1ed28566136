import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { geteuid } from 'node:process';
import { describeEvent } from '../timeline/describe-event.ts';
import type { MachineReport, RackEvent } from '../timeline/event.ts';
import { bootPhases, isUp, phaseLines, seconds } from './boot-phases.ts';
import { cacheDirectory } from './guest-files.ts';
import { LabError } from './lab-error.ts';
import { openLab, type LabHardware, type Lab } from './open-lab.ts';
import type { BootWay } from './boot-way.ts';
import type { Machine } from './machine.ts';
import type { Say } from './say.ts';

export interface LabOptions {
  readonly way: BootWay;
  /** Leave everything running until the signal comes. */
  readonly keep: boolean;
  /** How long the machine may take from power-on until it reports. */
  readonly timeoutSeconds: number;
  readonly accel: string;
  /** The command line that stands for rackboot, such as node and its main file. */
  readonly rackboot: readonly string[];
  /** Ends the lab early: Ctrl-C. */
  readonly signal: AbortSignal;
}

const HARDWARE = { cores: 2, memoryMebibytes: 1024, diskBytes: 8 * 2 ** 30 };
const TAIL = 30;
/** See `tell_firmware` in the init script. */
const FIRMWARE_LINE = /^.*rackboot-lab: ((?:firmware|kernel): .*) \(\d.*$/;

/** One boot as it was seen. */
interface Boot {
  /** Unix time in milliseconds. */
  readonly powerOn: number;
  readonly events: RackEvent[];
}

/**
 * Netboots a virtual machine from a real rack in a private network, and tells what happens as it happens.
 * Gives the exit code: 0 when the machine reported that it is up, else 1, or 130 when the signal ended it.
 */
export async function runLab(options: LabOptions, say: Say): Promise<number> {
  if (geteuid?.() !== 0) {
    say('the lab makes a network namespace and a tap interface, which needs root: sudo npm run lab');
    return 1;
  }
  try {
    say('making a private network and starting the rack in it');
    await using lab = await openLab(options.rackboot, options.way, say, options.signal);
    const code = await bootOnce(lab, options, say);
    if (options.keep) await keepRunning(lab, options, say);
    return code;
  } catch (error) {
    if (options.signal.aborted) {
      say('interrupted: the virtual machine, the rack and their network are gone');
      return 130;
    }
    if (!(error instanceof LabError)) throw error;
    say(error.message);
    return 1;
  }
}

async function bootOnce(lab: Lab, options: LabOptions, say: Say): Promise<number> {
  const { way, accel } = options;
  const hardware: LabHardware = { ...HARDWARE, accel };
  const events = lab.rack.events();
  const machine = await lab.switchOn(hardware);
  const boot: Boot = { powerOn: Date.now(), events: [] };
  say(
    `power on: ${way.firmware}, loader ${way.loader}, ${hardware.cores} cores, ${hardware.memoryMebibytes} MiB, an empty disk`,
  );
  const trouble = await Promise.race([
    followBoot(boot, events, say),
    machine.exited.then((complaint) => `the virtual machine went off: ${complaint ?? 'it powered itself off'}`),
    lab.rack.exited.then(() => 'rackboot ended in the middle of the boot'),
    afterSeconds(options.timeoutSeconds, options.signal),
  ]);
  const summary = bootPhases(boot.events, way.loader, boot.powerOn);
  for (const line of ['', ...phaseLines(summary), '']) say(line);
  if (trouble === undefined) for (const line of upLines(boot.events, machine, summary.missing)) say(line);
  else await sayTrouble([trouble, summary.missing], lab, machine, say, way);
  return trouble === undefined ? 0 : 1;
}

/** Shows each event as it comes. Resolves when the machine reports: undefined when it is up, else what it says. */
async function followBoot(boot: Boot, events: AsyncIterable<RackEvent>, say: Say): Promise<string | undefined> {
  for await (const event of events) {
    if (event.mac === undefined) continue;
    boot.events.push(event);
    say(`${seconds(event.at - boot.powerOn)}  ${event.source.padEnd(4)}  ${describeEvent(event)}`);
    if (isUp(event)) return undefined;
    if (event.kind === 'machine.report') return `the machine reports that it failed: ${event.report.stage}`;
  }
  return 'rackboot stopped telling what happens';
}

function afterSeconds(count: number, signal: AbortSignal): Promise<string> {
  const limit = AbortSignal.timeout(count * 1000);
  return new Promise((resolve, reject) => {
    limit.addEventListener('abort', () => resolve(`not up after ${count} s`), { once: true });
    signal.addEventListener('abort', () => reject(new LabError('interrupted')), { once: true });
    if (signal.aborted) reject(new LabError('interrupted'));
  });
}

function upLines(events: readonly RackEvent[], machine: Machine, missing: string | undefined): string[] {
  const last = events.findLast(isUp);
  const lines = missing === undefined ? [] : [`the phases above are not all: ${missing}`];
  return last?.kind === 'machine.report'
    ? [...lines, 'machine is up', ...reportLines(last.report), ...firmwareLines(machine)]
    : lines;
}

/** What a machine says of itself, a line for each kind of thing. */
function reportLines(report: MachineReport): string[] {
  const { name, cores, memoryBytes, disks = [], nics = [] } = report;
  const lines: string[] = [];
  if (name !== undefined) lines.push(`  name    ${name}`);
  if (cores !== undefined) lines.push(`  cores   ${cores}`);
  if (memoryBytes !== undefined) lines.push(`  memory  ${Math.round(memoryBytes / 2 ** 20)} MiB`);
  for (const disk of disks) lines.push(`  disk    ${disk.name}, ${(disk.bytes / 2 ** 30).toFixed(1)} GiB`);
  for (const nic of nics) lines.push(`  nic     ${nic.name}, ${nic.mac}`);
  return lines;
}

/** What the machine wrote on its console about the firmware that started it. */
function firmwareLines({ serial }: Machine): string[] {
  return serial.said(FIRMWARE_LINE).map((line) => `  ${line.replace(FIRMWARE_LINE, '$1')}`);
}

async function sayTrouble(
  sentences: readonly (string | undefined)[],
  lab: Lab,
  machine: Machine,
  say: Say,
  { firmware, loader }: BootWay,
): Promise<void> {
  const kept = join(cacheDirectory(), 'lab', `serial-${firmware}-${loader}.log`);
  await mkdir(join(cacheDirectory(), 'lab'), { recursive: true });
  await copyFile(machine.serial.file, kept).catch(() => undefined);
  say(`the end of the serial console (whole: ${kept}):`);
  for (const line of machine.serial.tail(TAIL)) say(`  ${line}`);
  say('the end of the log of the rack:');
  for (const line of lab.rack.tail(TAIL)) say(`  ${line}`);
  say(`machine is NOT up: ${sentences.filter((sentence) => sentence !== undefined).join('; ')}`);
}

async function keepRunning(lab: Lab, { rackboot, signal }: LabOptions, say: Say): Promise<void> {
  const { network, workspace } = lab;
  say('');
  say('left running until Ctrl-C. A shell in its network:');
  say(`  ip netns exec ${network.name} bash`);
  say('ask the rack:');
  say(`  ${rackboot.join(' ')} events --config ${workspace.config}`);
  say(`everything it made is in ${workspace.directory}`);
  await new Promise((resolve) => {
    signal.addEventListener('abort', resolve, { once: true });
    if (signal.aborted) resolve(undefined);
  });
}
