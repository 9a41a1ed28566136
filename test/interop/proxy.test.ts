import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { test } from 'node:test';

import { runCommand } from '../../src/lab/run-command.ts';
import { RACK, RackRig, reasonToSkip } from './rack-rig.ts';

const CONFIG = `
rack: { name: rack-t, state: $DIR/state, control: $DIR/control.sock }
subnets:
  - { cidr: 192.168.127.0/24, interface: rack0, management: proxy }
boot: { files: $DIR/files }
`;

const CLIENT = join(import.meta.dirname, 'pxe-client.ts');
const [OFFER, ACK] = [2, 5];

interface Step {
  readonly from: string;
  readonly type: number;
  readonly address: string;
  readonly file: string;
  readonly codes: readonly number[];
  readonly vendorClass: string;
}

type Steps = Readonly<Record<'offer' | 'proxy' | 'lease' | 'boot' | 'renewed', Step | undefined>>;

/** Starts a program beside the daemon; ended with the returned value. */
async function beside(rig: RackRig, ...argv: readonly string[]): Promise<AsyncDisposable> {
  const space = (await rig.onRack('ip', 'netns', 'identify')).stdout.trim();
  const program = spawn('setpriv', ['--pdeathsig', 'KILL', 'ip', 'netns', 'exec', space, ...argv], {
    stdio: 'ignore',
  });
  return { [Symbol.asyncDispose]: () => end(program) };
}

async function end(program: ChildProcess): Promise<void> {
  if (program.exitCode !== null || program.signalCode !== null) return;
  const exited = once(program, 'exit');
  program.kill('SIGTERM');
  await exited;
}

async function boot(rig: RackRig, arch: string): Promise<Steps> {
  const { code, stdout, output } = await rig.client(execPath, CLIENT, 'client0', arch);
  assert.equal(code, 0, output);
  return JSON.parse(stdout) as Steps;
}

test(
  'beside a DHCP server on the same machine and wire, ROMs get an address there and their boot file here',
  { skip: await reasonToSkip('dnsmasq-base', 'tcpdump', 'tshark') },
  async () => {
    await using rig = await RackRig.create('proxy', CONFIG);
    await rig.start();
    const quiet = ['--no-daemon', '--port=0', '--conf-file=/dev/null', '--user=root', '--pid-file='];
    const range = [
      '--interface=rack0',
      '--bind-interfaces',
      '--no-ping',
      '--dhcp-range=192.168.127.50,192.168.127.99,1h',
    ];
    const capture = join(rig.directory, 'capture.pcap');
    const filter = 'udp port 67 or udp port 68 or udp port 4011';
    await using _capture = await beside(
      rig,
      'tcpdump',
      '-i',
      'any',
      '--immediate-mode',
      '-U',
      '-Z',
      'root',
      '-w',
      capture,
      filter,
    );
    await rig.until('tcpdump to listen', async () => (statSync(capture, { throwIfNoEntry: false })?.size ?? 0) > 0);
    await using _dnsmasq = await beside(
      rig,
      'dnsmasq',
      ...quiet,
      ...range,
      '--dhcp-authoritative',
      `--dhcp-leasefile=${join(rig.directory, 'dnsmasq.leases')}`,
    );

    const bios = await boot(rig, '0,0');
    assert.match(bios.offer?.address ?? '', /^192\.168\.127\.[5-9]\d$/);
    assert.deepEqual([bios.offer?.file, bios.lease?.address], ['', bios.offer?.address]);
    assert.deepEqual([bios.proxy?.type, bios.proxy?.address, bios.proxy?.from], [OFFER, '0.0.0.0', `${RACK}:67`]);
    assert.deepEqual([bios.proxy?.file, bios.proxy?.vendorClass], ['undionly.kpxe', 'PXEClient']);
    assert.ok(bios.proxy?.codes.includes(43) && !bios.proxy.codes.includes(51));

    const uefi = await boot(rig, '0,7');
    assert.deepEqual([uefi.proxy?.file, uefi.proxy?.codes.includes(43)], ['snponly.efi', false]);
    assert.deepEqual([uefi.boot?.type, uefi.boot?.from, uefi.boot?.file], [ACK, `${RACK}:4011`, 'snponly.efi']);
    // Written to this machine's address alone: it is dnsmasq that must hear it
    assert.deepEqual([uefi.renewed?.type, uefi.renewed?.address], [ACK, uefi.offer?.address]);

    let story: string[] = [];
    await rig.until('the last event', async () => {
      story = (await rig.events()).filter(({ mac }) => mac === '02:bb:00:00:00:07').map(({ kind }) => kind);
      return story.includes('dhcp.proxy-ack');
    });
    assert.deepEqual([...new Set(story)], ['dhcp.discover', 'dhcp.proxy-offer', 'dhcp.elsewhere', 'dhcp.proxy-ack']);
    assert.equal((await rig.status()).leases, 0);
    const ours = 'dhcp.type == 2 && dhcp.option.vendor_class_id == "PXEClient"';
    const read = ['tshark', '-r', capture, '-d', 'udp.port==4011,dhcp', '-Y'];
    // Two offers and the answer at 4011, at the least; tcpdump writes a packet some time after it has seen it
    await rig.until('the replies to be captured', async () => {
      return (await runCommand([...read, ours])).stdout.trim().split('\n').length >= 3;
    });
    const unsound = await runCommand([...read, `${ours} && (_ws.malformed || _ws.expert.severity >= "Warning")`]);
    assert.deepEqual([unsound.code, unsound.stdout], [0, ''], unsound.output);
  },
);
