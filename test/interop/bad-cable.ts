import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { execPath } from 'node:process';

import { runCommand } from '../../src/lab/run-command.ts';
import { CLIENT, RACK, type RackRig } from './rack-rig.ts';

const PROGRAM = join(import.meta.dirname, 'bad-wire.ts');

/** The cable of a rig, replaced by one that loses, doubles and reorders packets both ways; see bad-wire.ts. */
export class BadCable implements AsyncDisposable {
  readonly #namespace: string;
  readonly #carrier: ChildProcess;

  /** To be laid before the rig's daemon starts. `perCent` of each kind of trouble. */
  static async lay(rig: RackRig, perCent: number, seed: number): Promise<BadCable> {
    const middle = `${rig.name}-wire`;
    await replaceWire(`${rig.name}-rack`, middle, `${rig.name}-client`);
    const inside = ['ip', 'netns', 'exec', middle, execPath, PROGRAM, 'left', 'right', String(perCent), String(seed)];
    const carrier = spawn('setpriv', ['--pdeathsig', 'KILL', ...inside], { stdio: ['ignore', 'pipe', 'inherit'] });
    await Promise.race([once(carrier.stdout, 'data'), failure(carrier)]);
    return new BadCable(middle, carrier);
  }

  private constructor(namespace: string, carrier: ChildProcess) {
    this.#namespace = namespace;
    this.#carrier = carrier;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#carrier.exitCode === null && this.#carrier.signalCode === null) {
      const exited = once(this.#carrier, 'exit');
      this.#carrier.kill('SIGKILL');
      await exited;
    }
    await runCommand(['ip', 'netns', 'delete', this.#namespace]);
  }
}

async function failure(carrier: ChildProcess): Promise<never> {
  const [code] = (await once(carrier, 'exit')) as [number | null];
  throw new Error(`bad-wire.ts ended with ${code}`);
}

async function replaceWire(rack: string, middle: string, client: string): Promise<void> {
  // Frames as they would be on a cable: what leaves in one piece for the card to cut is cut before
  const whole = ['gso_max_segs', '1'];
  const steps = [
    ['netns', 'add', middle],
    ['-n', rack, 'link', 'delete', 'rack0'],
    ['-n', rack, 'link', 'add', 'rack0', ...whole, 'type', 'veth', 'peer', 'name', 'left', 'netns', middle],
    ['-n', client, 'link', 'add', 'client0', ...whole, 'type', 'veth', 'peer', 'name', 'right', 'netns', middle],
    ['-n', middle, 'link', 'set', 'left', 'up'],
    ['-n', middle, 'link', 'set', 'right', 'up'],
    ['-n', rack, 'address', 'add', `${RACK}/24`, 'brd', '+', 'dev', 'rack0'],
    ['-n', rack, 'link', 'set', 'rack0', 'up'],
    ['-n', client, 'address', 'add', `${CLIENT}/24`, 'brd', '+', 'dev', 'client0'],
    ['-n', client, 'link', 'set', 'client0', 'up'],
    ['-n', client, 'route', 'add', 'default', 'dev', 'client0'],
  ];
  for (const step of steps) {
    const { code, output } = await runCommand(['ip', ...step]);
    if (code !== 0) throw new Error(`ip ${step.join(' ')}: ${output}`);
  }
}
