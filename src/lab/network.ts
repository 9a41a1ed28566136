import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { kill } from 'node:process';
import type { Readable } from 'node:stream';
import { runCommand, type CommandOptions, type CommandResult } from './run-command.ts';
import { LabError } from './lab-error.ts';
import { isAlive } from './is-alive.ts';

export interface LabNetworkSettings {
  /** Starts with `rackboot-lab-` and this process's id, so that a later lab can sweep it away; see `labName`. */
  readonly name: string;
  /** The bridge's address with its prefix: `192.168.127.1/24`. */
  readonly address: string;
  /** How many machines can be plugged in. */
  readonly taps: number;
}

export type LabProcess = ChildProcessByStdio<null, Readable, Readable>;

/** A network namespace with one bridge; nothing of it is seen from this computer's own network. */
export interface LabNetwork {
  readonly name: string;
  /** Tap interfaces on the bridge, one for each machine. */
  readonly taps: readonly string[];
  /** Starts a program inside, with its output in pipes; it dies with this process, however that ends. */
  exec(argv: readonly string[]): LabProcess;
  /** Runs a program inside to its end. */
  run(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Ends whatever still runs inside, and removes the namespace with all that is in it. Does nothing the second time. */
  close(): Promise<void>;
}

/** What the bridge is called inside; it carries the address, and the rack serves it. */
export const BRIDGE = 'rack0';
const NAME = /^rackboot-lab-(\d+)(-|$)/;

/** A name for a namespace or a directory of the lab that process `pid` runs. */
export function labName(pid: number, suffix?: string): string {
  return `rackboot-lab-${pid}${suffix === undefined ? '' : `-${suffix}`}`;
}

/** Whether `name` was made by `labName` for a process that is gone. */
export function isStaleLabName(name: string, alive: (pid: number) => boolean = isAlive): boolean {
  const pid = NAME.exec(name)?.[1];
  return pid !== undefined && !alive(Number(pid));
}

/**
 * Makes the namespace, its bridge and its taps. Needs root.
 * @throws LabError with what `ip` said
 */
export async function createLabNetwork(settings: LabNetworkSettings): Promise<LabNetwork> {
  const { name, address } = settings;
  const taps = Array.from({ length: settings.taps }, (_, index) => `tap${index}`);
  await ip(['netns', 'add', name]);
  try {
    await ip(['-n', name, 'link', 'set', 'lo', 'up']);
    // A bridge port listens and learns for 15 s before it forwards unless told otherwise: firmware gives up sooner.
    await ip(['-n', name, 'link', 'add', BRIDGE, 'type', 'bridge', 'forward_delay', '0', 'mcast_snooping', '0']);
    await ip(['-n', name, 'address', 'add', address, 'brd', '+', 'dev', BRIDGE]);
    // A bridge has a carrier only while one of its ports has one; a switch is live before the first machine is switched on.
    await ip(['-n', name, 'link', 'add', 'live', 'type', 'veth', 'peer', 'name', 'live-end']);
    await ip(['-n', name, 'link', 'set', 'live-end', 'up']);
    await ip(['-n', name, 'link', 'set', 'live', 'master', BRIDGE, 'up']);
    await ip(['-n', name, 'link', 'set', BRIDGE, 'up']);
    for (const tap of taps) {
      await ip(['-n', name, 'tuntap', 'add', 'dev', tap, 'mode', 'tap']);
      await ip(['-n', name, 'link', 'set', tap, 'master', BRIDGE, 'up']);
    }
  } catch (error) {
    await removeNamespace(name);
    throw error;
  }
  return {
    name,
    taps,
    exec: (argv) => startInside(name, argv),
    run: (argv, options) => runCommand(inside(name, argv), options),
    close: () => removeNamespace(name),
  };
}

/** Removes the namespaces of labs whose process is gone: killed, or the machine lost power. */
export async function sweepStaleNetworks(): Promise<void> {
  const { stdout } = await runCommand(['ip', 'netns', 'list']);
  const names = stdout.split('\n').map((line) => line.split(' ')[0] ?? '');
  for (const name of names) if (isStaleLabName(name)) await removeNamespace(name);
}

function inside(name: string, argv: readonly string[]): string[] {
  return ['ip', 'netns', 'exec', name, ...argv];
}

/** `setpriv` is part of every Debian: util-linux. */
function dyingWithParent(argv: readonly string[]): string[] {
  return ['setpriv', '--pdeathsig', 'KILL', ...argv];
}

function startInside(name: string, argv: readonly string[]): LabProcess {
  const [program = '', ...args] = dyingWithParent(inside(name, argv));
  return spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function removeNamespace(name: string): Promise<void> {
  const pids = await runCommand(['ip', 'netns', 'pids', name]);
  if (pids.code !== 0) return;
  for (const pid of pids.stdout.split('\n').filter((line) => line !== '')) endProcess(Number(pid));
  await runCommand(['ip', 'netns', 'delete', name]);
}

function endProcess(pid: number): void {
  try {
    kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}

async function ip(args: readonly string[]): Promise<void> {
  const result = await runCommand(['ip', ...args]);
  if (result.code !== 0)
    throw new LabError(`the lab's network could not be made: ip ${args.join(' ')}: ${result.output}`);
}
