import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pid } from 'node:process';
import { test } from 'node:test';

import { runCommand } from '../../src/lab/run-command.ts';
import { RackRig, reasonToSkip } from './rack-rig.ts';

/** Two local subnets, and two behind relays, which come by interfaces that have no subnet. */
const CONFIG = `
rack: { name: rack-t, state: $DIR/state, control: $DIR/control.sock }
subnets:
  - { cidr: 192.168.127.0/24, interface: rack0, management: dhcp+dns, dynamic: 192.168.127.100-192.168.127.199 }
  - { cidr: 10.50.0.0/24, interface: second, management: dhcp, dynamic: 10.50.0.100-10.50.0.199 }
  - { cidr: 10.61.0.0/24, management: dhcp, dynamic: 10.61.0.100-10.61.0.199, router: 10.61.0.1 }
  - { cidr: 10.62.0.0/24, management: dhcp, dynamic: 10.62.0.100-10.62.0.199, router: 10.62.0.1 }
boot: { files: $DIR/files }
`;

const UDHCPC_SCRIPT = '#!/bin/sh\n[ "$1" = bound ] && echo "$ip $router $serverid"\nexit 0\n';

/** The network beyond the rig: a second wire, and two relays each between the rack and a wire of its own. */
class Beyond implements AsyncDisposable {
  readonly #rig: RackRig;
  readonly #spaces: string[] = [];
  readonly #programs: ChildProcess[] = [];

  constructor(rig: RackRig) {
    this.#rig = rig;
  }

  /** A namespace whose interface `near` is joined to the rack's `device`. */
  async join(space: string, device: string, rackAddress: string, address?: string): Promise<void> {
    await this.#make(space);
    await this.#rack('link', 'add', device, 'type', 'veth', 'peer', 'name', 'near', 'netns', nameOf(space));
    await this.#rack('address', 'add', rackAddress, 'brd', '+', 'dev', device);
    await this.#rack('link', 'set', device, 'up');
    if (address !== undefined) await this.in(space, 'ip', 'address', 'add', address, 'dev', 'near');
    await this.in(space, 'ip', 'link', 'set', 'near', 'up');
  }

  /** A relay's namespace, and that of the clients behind it; the relay's interface towards them is `far`. */
  async relay(n: 1 | 2): Promise<void> {
    const [relay, clients] = [`relay${n}`, `behind${n}`];
    await this.join(relay, `up${n}`, `10.7${n}.0.1/24`, `10.7${n}.0.2/24`);
    await this.#make(clients);
    await this.in(relay, 'ip', 'link', 'add', 'far', 'type', 'veth', 'peer', 'name', 'near', 'netns', nameOf(clients));
    await this.in(relay, 'ip', 'address', 'add', `10.6${n}.0.1/24`, 'brd', '+', 'dev', 'far');
    await this.in(relay, 'ip', 'link', 'set', 'far', 'up');
    await this.in(clients, 'ip', 'link', 'set', 'near', 'up');
    await this.#rack('route', 'add', `10.6${n}.0.0/24`, 'via', `10.7${n}.0.2`);
  }

  async in(space: string, ...argv: readonly string[]): Promise<string> {
    const { code, stdout, output } = await runCommand(['ip', 'netns', 'exec', nameOf(space), ...argv]);
    assert.equal(code, 0, `${argv.join(' ')}: ${output}`);
    return stdout;
  }

  start(space: string, ...argv: readonly string[]): ChildProcess {
    const inside = ['ip', 'netns', 'exec', nameOf(space), ...argv];
    const program = spawn('setpriv', ['--pdeathsig', 'KILL', ...inside], { stdio: 'ignore' });
    this.#programs.push(program);
    return program;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs) await end(program);
    for (const space of this.#spaces) await runCommand(['ip', 'netns', 'delete', nameOf(space)]);
  }

  async #make(space: string): Promise<void> {
    const { code, output } = await runCommand(['ip', 'netns', 'add', nameOf(space)]);
    assert.equal(code, 0, output);
    this.#spaces.push(space);
    await this.in(space, 'ip', 'link', 'set', 'lo', 'up');
  }

  async #rack(...words: readonly string[]): Promise<void> {
    const { code, output } = await this.#rig.onRack('ip', ...words);
    assert.equal(code, 0, `ip ${words.join(' ')}: ${output}`);
  }
}

function nameOf(space: string): string {
  return `rackboot-relay-${pid}-${space}`;
}

async function end(program: ChildProcess): Promise<void> {
  if (program.exitCode !== null || program.signalCode !== null) return;
  const exited = once(program, 'exit');
  program.kill('SIGTERM');
  await exited;
}

/** What a client behind `space` is given: address, router, server. It asks for longer than a relay takes to start. */
async function ask(beyond: Beyond, space: string, script: string): Promise<string> {
  const patience = ['-n', '-t', '20', '-T', '1'];
  return (await beyond.in(space, 'udhcpc', '-i', 'near', '-q', '-f', ...patience, '-s', script)).trim();
}

test(
  'clients behind two real relays and on two local wires get addresses of their own subnets, in sound packets',
  { skip: await reasonToSkip('udhcpc', 'dnsmasq-base', 'isc-dhcp-relay', 'tcpdump', 'tshark') },
  async () => {
    await using rig = await RackRig.create('relay', CONFIG);
    await using beyond = new Beyond(rig);
    await beyond.join('second', 'second', '10.50.0.1/24');
    await beyond.relay(1);
    await beyond.relay(2);
    await rig.start();
    const script = join(rig.directory, 'script');
    writeFileSync(script, UDHCPC_SCRIPT);
    chmodSync(script, 0o755);
    const capture = join(rig.directory, 'capture.pcap');
    const rackSpace = (await rig.onRack('ip', 'netns', 'identify')).stdout.trim();
    const dumping = ['tcpdump', '-i', 'any', '-U', '-Z', 'root', '-w', capture, 'udp port 67 or udp port 68'];
    const tcpdump = spawn('setpriv', ['--pdeathsig', 'KILL', 'ip', 'netns', 'exec', rackSpace, ...dumping], {
      stdio: 'ignore',
    });
    // Its file has a header as soon as it listens
    await rig.until('tcpdump to listen', async () => (statSync(capture, { throwIfNoEntry: false })?.size ?? 0) > 0);
    const quiet = ['--no-daemon', '--port=0', '--conf-file=/dev/null', '--user=root', '--pid-file='];
    beyond.start('relay1', 'dnsmasq', ...quiet, '--dhcp-relay=10.61.0.1,10.71.0.1');
    const pidFile = join(rig.directory, 'dhcrelay.pid');
    beyond.start('relay2', 'dhcrelay', '-4', '-d', '-a', '-pf', pidFile, '-iu', 'near', '-id', 'far', '10.72.0.1');

    assert.match(await ask(beyond, 'second', script), /^10\.50\.0\.100 +10\.50\.0\.1$/);
    assert.match(await ask(beyond, 'behind1', script), /^10\.61\.0\.100 10\.61\.0\.1 192\.168\.127\.1$/);
    assert.match(await ask(beyond, 'behind2', script), /^10\.62\.0\.100 10\.62\.0\.1 192\.168\.127\.1$/);
    const local = await rig.client('udhcpc', '-i', 'client0', '-n', '-q', '-f', '-s', script);
    assert.match(local.stdout, /^192\.168\.127\.100 +192\.168\.127\.1$/m, local.output);

    await rig.until('the last reply to be captured', async () => {
      // tshark complains of a packet that is written in part
      const soFar = await replies(capture).catch(() => '');
      return soFar.includes('192.168.127.100');
    });
    await end(tcpdump);
    const given = await replies(capture);
    for (const address of ['10.50.0.100', '10.61.0.100', '10.62.0.100']) assert.ok(given.includes(address), address);
    const unsound = await tshark(capture, '-Y', '_ws.malformed || _ws.expert.severity >= "Warning"');
    assert.equal(unsound, '');
    // dhcrelay adds option 82 and takes it off again
    const echoed = await tshark(
      capture,
      '-Y',
      'dhcp.type == 2 && dhcp.option.agent_information_option.agent_circuit_id',
    );
    assert.notEqual(echoed, '');
  },
);

async function tshark(capture: string, ...words: readonly string[]): Promise<string> {
  const { code, stdout, output } = await runCommand(['tshark', '-r', capture, ...words]);
  assert.equal(code, 0, output);
  return stdout;
}

/** The addresses in the replies captured, one a line. */
function replies(capture: string): Promise<string> {
  return tshark(capture, '-Y', 'dhcp.type == 2', '-T', 'fields', '-e', 'dhcp.ip.your');
}
