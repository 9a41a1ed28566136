import assert from 'node:assert/strict';
import { pid } from 'node:process';

import { runCommand, type CommandResult } from '../../src/lab/run-command.ts';
import type { RackRig } from './rack-rig.ts';

export const SQUATTER = '02:00:00:00:5a:5a';

/** A machine on the clients' wire that was given `address` by hand, in a namespace of its own. */
export class Squatter implements AsyncDisposable {
  readonly space: string;

  private constructor(space: string) {
    this.space = space;
  }

  static async settle(rig: RackRig, address: string, mac = SQUATTER, prefix = 24): Promise<Squatter> {
    const squatter = new Squatter(`rackboot-squatter-${pid}-${mac.slice(-2)}`);
    const { space } = squatter;
    // Not from inside another namespace, whose mounts nobody else sees
    assert.equal((await runCommand(['ip', 'netns', 'add', space])).code, 0);
    const device = `squat${mac.slice(-2)}`;
    const onWire = ['link', 'client0', 'address', mac, 'type', 'macvlan', 'mode', 'bridge'];
    const steps: readonly (readonly string[])[] = [
      ['ip', 'link', 'add', device, ...onWire],
      ['ip', 'link', 'set', device, 'netns', space],
      ['ip', '-n', space, 'address', 'add', `${address}/${prefix}`, 'brd', '+', 'dev', device],
      ['ip', '-n', space, 'link', 'set', device, 'up'],
      ['ip', '-n', space, 'route', 'add', 'default', 'dev', device],
    ];
    for (const step of steps) {
      const { code, output } = await rig.client(...step);
      assert.equal(code, 0, `${step.join(' ')}: ${output}`);
    }
    return squatter;
  }

  /** Runs a program on it. */
  run(...argv: readonly string[]): Promise<CommandResult> {
    return runCommand(['ip', 'netns', 'exec', this.space, ...argv]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await runCommand(['ip', 'netns', 'delete', this.space]);
  }
}
