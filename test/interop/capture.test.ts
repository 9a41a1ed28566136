import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { test } from 'node:test';

import { runCommand } from '../../src/lab/run-command.ts';
import { RACK, RackRig, reasonToSkip, SIMPLE } from './rack-rig.ts';

const CLIENT = join(import.meta.dirname, 'broken-client.ts');
const DORA = join(import.meta.dirname, 'dora-client.ts');
const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const MAC = '52:54:00:00:00:01';
const STRANGER = '52:54:00:00:00:02';
/** What a UEFI does, up to its loader, and the iPXE behind it, up to its address. */
const BOOT = ['pxe', 'take', 'size=snponly.efi', 'tftp=snponly.efi', 'ipxe', 'take'];

/** `rackboot capture` into this file, until it is told to stop; resolves when it has begun. */
async function startCapture(rig: RackRig, mac: string, out: string): Promise<ChildProcess> {
  const argv = [MAIN, 'capture', '--mac', mac, '--out', out, '--seconds', '600', '--config', rig.config];
  const capture = spawn(execPath, argv, { stdio: ['ignore', 'ignore', 'pipe'] });
  await rig.until('the capture to begin', () => Promise.resolve(existsSync(out) && statSync(out).size >= 24));
  return capture;
}

async function endCapture(capture: ChildProcess): Promise<number | null> {
  const exited = once(capture, 'exit') as Promise<[number | null]>;
  capture.kill('SIGINT');
  const [code] = await exited;
  return code;
}

test(
  'a capture has all that one machine said and was told, and Wireshark reads it',
  { skip: await reasonToSkip('tshark') },
  async () => {
    await using rig = await RackRig.create('capture', SIMPLE);
    await rig.start();
    const file = join(rig.directory, 'one.pcap');
    const capture = await startCapture(rig, MAC, file);
    const played = await rig.client(execPath, CLIENT, RACK, MAC, ...BOOT);
    assert.equal(played.code, 0, played.output);
    assert.equal((await rig.client(execPath, CLIENT, RACK, STRANGER, 'pxe', 'take', 'tftp=snponly.efi')).code, 0);
    await rig.client('dig', '+tries=1', '+time=1', '-b', '192.168.127.221', `@${RACK}`, 'node1.rack.test');
    await rig.until('the question for a name', () => Promise.resolve(readFileSync(file).includes('node1')));
    assert.equal(await endCapture(capture), 0);
    assert.equal(statSync(file).mode & 0o777, 0o600);

    const fields = ['_ws.col.Protocol', 'dhcp.option.dhcp', 'tftp.opcode', 'ip.checksum.status'];
    const read = await runCommand([
      'tshark',
      '-r',
      file,
      '-T',
      'fields',
      '-o',
      'ip.check_checksum:TRUE',
      ...fields.flatMap((field) => ['-e', field]),
    ]);
    assert.equal(read.code, 0, read.output);
    const packets = read.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t'));
    const dhcp = packets.flatMap(([, type = '']) => (type === '' ? [] : [Number(type)]));
    assert.deepEqual(dhcp, [1, 2, 3, 5, 1, 2, 3, 5]);
    const tftp = packets.flatMap(([, , code = '']) => (code === '' ? [] : [Number(code)]));
    // Of two sockets that have something at once, either may be read first
    assert.deepEqual(
      tftp.toSorted((a, b) => a - b),
      [1, 1, 3, 4, 5, 6],
    );
    assert.equal(packets.filter(([protocol]) => protocol === 'DNS').length, 2);
    assert.deepEqual(
      packets.filter(([, , , checksum = '']) => checksum !== '1'),
      [],
    );
    const macs = await runCommand(['tshark', '-r', file, '-T', 'fields', '-e', 'dhcp.hw.mac_addr']);
    assert.deepEqual([...new Set(macs.stdout.split('\n').filter((line) => line !== ''))], [MAC]);
  },
);

test(
  'a second capture, and a machine that is none, are refused; one that heard nothing says so',
  { skip: await reasonToSkip() },
  async () => {
    await using rig = await RackRig.create('capture-refused', SIMPLE);
    await rig.start();
    const capture = await startCapture(rig, MAC, join(rig.directory, 'one.pcap'));
    const second = await rig.rackboot('capture', '--mac', STRANGER, '--out', join(rig.directory, 'two.pcap'));
    assert.equal(second.code, 1);
    assert.match(second.output, /another capture runs: one at a time/);
    assert.equal(existsSync(join(rig.directory, 'two.pcap')), false);
    assert.equal(await endCapture(capture), 1);
    assert.equal((await rig.rackboot('capture', '--mac', 'node1')).code, 2);
    const nothing = await rig.rackboot('capture', '--mac', MAC, '--seconds', '1', '--out', '-');
    assert.equal(nothing.code, 1);
    assert.match(nothing.output, /nothing was heard of it/);
  },
);

test(
  'a replay of what was captured of the daemon is what the daemon said, byte by byte',
  { skip: await reasonToSkip('tcpdump') },
  async () => {
    // Its probes for other DHCP servers are on the wire too, and nobody answers them
    await using rig = await RackRig.create('replay', `${SIMPLE}watch: off\n`);
    // Before the daemon has leases: from there on the replay has its own
    const file = join(rig.directory, 'wire.pcap');
    const tcpdump = rig.startClient('tcpdump', '-U', '-s', '0', '-i', 'client0', '-w', file, 'udp');
    await rig.until('tcpdump to listen', () => Promise.resolve(existsSync(file) && statSync(file).size >= 24));
    const state = join(rig.directory, 'state');
    await rig.start();
    const own = join(rig.directory, 'own.pcap');
    const capture = await startCapture(rig, MAC, own);
    const played = await rig.client(execPath, CLIENT, RACK, MAC, ...BOOT, 'http=/boot.ipxe');
    assert.equal(played.code, 0, played.output);

    await endCapture(capture);
    assert.equal((await rig.client(execPath, DORA, '5')).code, 0);
    await rig.until('the wire to be written down', () => Promise.resolve(statSync(file).size > 8_000));
    tcpdump.kill('SIGINT');
    await once(tcpdump, 'exit');
    await rig.end('SIGTERM');
    for (const name of ['leases.db', 'leases.db-wal', 'leases.db-shm'])
      await runCommand(['rm', '-f', join(state, name)]);

    for (const taken of [own, file]) {
      const { code, stdout } = await rig.rackboot('replay', taken, '--json');
      const told = stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { asked: string; verdict: string; differences: unknown[]; bytes?: string });
      const different = told.filter(({ verdict }) => verdict !== 'same');
      assert.deepEqual(different, [], stdout);
      assert.equal(code, 0);
      assert.ok(told.length >= 6, `${told.length} questions`);
    }
    assert.match((await rig.rackboot('replay', file)).stdout, /\n\d+ questions: \d+ as in the capture\n$/);
  },
);
