import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execPath, geteuid, pid } from 'node:process';

import { efiProgram } from '../fixtures/programs.ts';
import type { RackEvent } from '../../src/timeline/event.ts';
import type { RackStatus } from '../../src/rack/status.ts';
import { askDaemon, streamFromDaemon, UnreachableError } from '../../src/cli/control-client.ts';
import { missingPackages, TEST_CLIENT_PACKAGES, type PackageNeed } from '../../src/lab/debian-packages.ts';
import { runCommand, type CommandResult } from '../../src/lab/run-command.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
export const RACK = '192.168.127.1';
export const CLIENT = '192.168.127.2';

/** Why a test that needs namespaces and these programs can't run here; false when it can. */
export async function reasonToSkip(...packages: readonly string[]): Promise<string | false> {
  if (geteuid?.() !== 0) return 'network namespaces need root';
  const needs: PackageNeed[] = TEST_CLIENT_PACKAGES.filter((need) => ['iproute2', ...packages].includes(need.package));
  const missing = await missingPackages(needs);
  return missing.length > 0 ? `not installed: ${missing.map((need) => need.package).join(' ')}` : false;
}

/**
 * A real daemon in a network namespace of its own, and a second namespace for its clients, joined by one wire:
 * `rack0` on the rack's end with 192.168.127.1/24, `client0` on the other.
 */
export class RackRig implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'rackboot-test-'));
  readonly config = join(this.directory, 'rackboot.yaml');
  readonly files = join(this.directory, 'files');
  readonly #name: string;
  #daemon: ChildProcess | undefined;

  /** Makes the network and the directories; starts nothing. `suffix` tells the rigs of one process apart. */
  static async create(suffix: string, config: string = SIMPLE): Promise<RackRig> {
    const rig = new RackRig(`rackboot-test-${pid}-${suffix}`);
    await rig.#wire();
    mkdirSync(rig.files);
    writeFileSync(join(rig.files, 'undionly.kpxe'), 'not really a loader\n');
    writeFileSync(
      join(rig.files, 'snponly.efi'),
      Buffer.concat([efiProgram(), Buffer.from('not really a loader either\n')]),
    );
    rig.writeConfig(config);
    return rig;
  }

  private constructor(name: string) {
    this.#name = name;
  }

  /** Its namespaces are `<name>-rack` and `<name>-client`. */
  get name(): string {
    return this.#name;
  }

  get daemon(): ChildProcess {
    if (!this.#daemon) throw new Error('the daemon was not started');
    return this.#daemon;
  }

  get log(): string {
    const file = join(this.directory, 'log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '(not started)';
  }

  /** `$DIR` stands for the rig's directory. */
  writeConfig(text: string): void {
    writeFileSync(this.config, text.replaceAll('$DIR', this.directory));
  }

  addFile(path: string, from: string): void {
    copyFileSync(from, join(this.files, path));
  }

  /** A file with this in it. */
  addPath(path: string, content: string | Uint8Array): void {
    mkdirSync(dirname(join(this.files, path)), { recursive: true });
    writeFileSync(join(this.files, path), content);
  }

  /** What runs a program on the rack's end of the wire. */
  get insideRack(): readonly string[] {
    return this.#inside('rack');
  }

  /** Starts the daemon and resolves when it is ready. */
  async start(wrapper: readonly string[] = [], main = MAIN): Promise<void> {
    const log = openSync(join(this.directory, 'log'), 'a');
    const argv = [...this.#inside('rack'), ...wrapper, execPath, main, 'run', '--config', this.config];
    const daemon = spawn('setpriv', ['--pdeathsig', 'KILL', ...argv], {
      stdio: ['ignore', log, log],
      env: { ...process.env, RACKBOOT_TEST_HOOKS: '1' },
    });
    this.#daemon = daemon;
    closeSync(log);
    await this.until('the daemon to be ready', async () => {
      if (hasEnded(daemon)) throw new Error(`the daemon ended:\n${this.log}`);
      return this.answers();
    });
  }

  /** Ends the daemon; resolves with how long it took in milliseconds. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number> {
    const began = performance.now();
    if (hasEnded(this.daemon)) throw new Error(`the daemon ended by itself:\n${this.log}`);
    const exited = once(this.daemon, 'exit');
    this.daemon.kill(signal);
    await exited;
    return performance.now() - began;
  }

  /** Runs a program on the clients' end of the wire. */
  client(...argv: readonly string[]): Promise<CommandResult> {
    return runCommand([...this.#inside('client'), ...argv]);
  }

  /** Starts a program on the clients' end; its output is in pipes. */
  startClient(...argv: readonly string[]): ChildProcess {
    return spawn('setpriv', ['--pdeathsig', 'KILL', ...this.#inside('client'), ...argv], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  onRack(...argv: readonly string[]): Promise<CommandResult> {
    return runCommand([...this.#inside('rack'), ...argv]);
  }

  /** `rackboot COMMAND …` against this rig's daemon. */
  rackboot(...argv: readonly string[]): Promise<CommandResult> {
    return runCommand([...this.#inside('rack'), execPath, MAIN, ...argv, '--config', this.config]);
  }

  get control(): string {
    return join(this.directory, 'control.sock');
  }

  /** Whether the daemon answers on its control socket. */
  async answers(): Promise<boolean> {
    try {
      await this.status();
      return true;
    } catch (error) {
      if (error instanceof UnreachableError) return false;
      throw error;
    }
  }

  status(): Promise<RackStatus> {
    return askDaemon(this.control, '/status');
  }

  async events(): Promise<RackEvent[]> {
    const events: RackEvent[] = [];
    const lines = streamFromDaemon(this.control, '/events?limit=100000', new AbortController().signal);
    for await (const line of lines) events.push(JSON.parse(line) as RackEvent);
    return events;
  }

  /** Makes a service throw. */
  async fail(service: string): Promise<void> {
    await askDaemon(this.control, `/fail?service=${service}`, 'POST');
  }

  /** Waits for something that other processes bring about. */
  async until(what: string, holds: () => Promise<boolean>, seconds = 20): Promise<void> {
    const end = performance.now() + seconds * 1000;
    while (!(await holds())) {
      if (performance.now() > end)
        throw new Error(`waited ${seconds} s in vain for ${what}; the daemon's log:\n${this.log}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#daemon && !hasEnded(this.#daemon)) await this.end('SIGKILL');
    for (const end of ['rack', 'client']) {
      const pids = await runCommand(['ip', 'netns', 'pids', `${this.#name}-${end}`]);
      for (const line of pids.stdout.split('\n')) if (line !== '') process.kill(Number(line), 'SIGKILL');
      await runCommand(['ip', 'netns', 'delete', `${this.#name}-${end}`]);
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #wire(): Promise<void> {
    const [rack, client] = [`${this.#name}-rack`, `${this.#name}-client`];
    const steps = [
      ['netns', 'add', rack],
      ['netns', 'add', client],
      ['-n', rack, 'link', 'set', 'lo', 'up'],
      ['-n', client, 'link', 'set', 'lo', 'up'],
      ['-n', rack, 'link', 'add', 'rack0', 'type', 'veth', 'peer', 'name', 'client0', 'netns', client],
      ['-n', rack, 'address', 'add', `${RACK}/24`, 'brd', '+', 'dev', 'rack0'],
      ['-n', rack, 'link', 'set', 'rack0', 'up'],
      ['-n', client, 'address', 'add', `${CLIENT}/24`, 'brd', '+', 'dev', 'client0'],
      ['-n', client, 'link', 'set', 'client0', 'up'],
      ['-n', client, 'route', 'add', 'default', 'dev', 'client0'],
    ];
    for (const step of steps) {
      const result = await runCommand(['ip', ...step]);
      if (result.code !== 0) throw new Error(`ip ${step.join(' ')}: ${result.output}`);
    }
  }

  #inside(end: 'rack' | 'client'): string[] {
    return ['ip', 'netns', 'exec', `${this.#name}-${end}`];
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** One subnet with everything on. */
export const SIMPLE = `
rack: { name: rack-t, state: $DIR/state, control: $DIR/control.sock }
subnets:
  - cidr: 192.168.127.0/24
    interface: rack0
    management: dhcp+dns
    dynamic: 192.168.127.100-192.168.127.199
    static: 192.168.127.221-192.168.127.240
    router: 192.168.127.254
    domain: rack.test
    lease: 1h
hosts:
  - { name: node1, mac: "52:54:00:00:00:01", address: 192.168.127.221 }
boot: { files: $DIR/files }
`;
