import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { readReply } from '../dhcp/naive-packet.ts';
import { LeasePromises, type Promised } from './lease-promises.ts';
import { readPcap, udpPayload } from '../fixtures/pcap.ts';
import { RackRig, reasonToSkip } from './rack-rig.ts';

/** `RACKBOOT_KILLS=50 node --test test/interop/kill.test.ts` is the long run. */
const KILLS = Number(process.env['RACKBOOT_KILLS'] ?? 3);
/** After its start, so that some come while it still reads its leases. */
const EARLIEST_KILL = 150;
const LATEST_KILL = 4_000;
const SERVER = '10.16.0.1';
const SAMPLE = 300;
const REBOOT_CLIENT = join(import.meta.dirname, 'reboot-client.ts');

/** Leases that outlive the test, in a range with room; and leases that end meanwhile, in a range too small for all who ask. */
const CONFIG = `
rack: { name: rack-t, state: $DIR/state, control: $DIR/control.sock }
subnets:
  - { cidr: 10.16.0.0/16, interface: rack0, management: dhcp, conflict-check: off, dynamic: 10.16.1.0-10.16.99.255, lease: 1h }
  - { cidr: 10.17.0.0/16, management: dhcp, dynamic: 10.17.1.0-10.17.79.255, lease: 60s }
boot: { files: $DIR/files }
log: { level: warn }
`;

const LINKS: readonly (readonly [end: 'rack' | 'client', words: string])[] = [
  ['rack', `address add ${SERVER}/16 dev rack0`],
  ['rack', 'route add 10.17.0.0/16 dev rack0'],
  ['client', 'address add 10.16.0.2/16 dev client0'],
  ['client', 'address add 10.17.0.2/16 dev client0'],
];

/** Who asks for four seconds, as the relay: machines that come again, then ones that were never seen before. */
function shiftWords(shift: number): string[] {
  const [relay, clients, pool] = shift % 2 === 0 ? ['10.16.0.2', 2_000, 0] : ['10.17.0.2', 50_000, shift];
  const mac = `02:00:${(pool & 255).toString(16).padStart(2, '0')}:00:00:00`;
  const pace = ['-r', '800', '-p', '4', '-W', '300000', '-R', String(clients), '-b', `mac=${mac}`];
  return ['perfdhcp', '-4', '-g', 'single', '-l', relay, ...pace, SERVER];
}

/** One shift of each sort after the last start: on a slow machine the kills may have left no time for a whole one. */
async function loadUntil(rig: RackRig, signal: AbortSignal): Promise<number> {
  let shift = 0;
  for (let left = 2; !signal.aborted || left-- > 0; shift++) {
    const { output } = await rig.client(...shiftWords(shift));
    assert.match(output, /DISCOVER-OFFER\*\*\*\s+sent packets: [1-9]/);
  }
  return shift;
}

/** Captures on the clients' end what the rack sends; what is returned ends it and says how many packets it missed. */
async function capture(rig: RackRig, file: string): Promise<() => Promise<number>> {
  const log = `${file}.log`;
  const words = `-i client0 -n -B 65536 -Z root -w ${file} udp and src host ${SERVER}`;
  const tcpdump = rig.startClient('sh', '-c', `exec tcpdump ${words} 2>${log}`);
  await rig.until('tcpdump to listen', async () => /listening on/.test(textOf(log)));
  return async () => {
    const exited = once(tcpdump, 'exit');
    tcpdump.kill('SIGINT');
    await exited;
    return Number(/^(\d+) packets dropped by kernel/m.exec(textOf(log))?.[1] ?? Number.NaN);
  };
}

function textOf(path: string): string {
  return statSync(path, { throwIfNoEntry: false }) ? readFileSync(path, 'utf8') : '';
}

/** Starts the daemon and kills it so many milliseconds later, ready or not. */
async function startAndKill(rig: RackRig, after: number): Promise<void> {
  const started = rig.start().catch(() => 'killed before it was ready');
  await delay(after);
  await rig.end('SIGKILL');
  await started;
}

function promisesIn(file: string): LeasePromises {
  const promises = new LeasePromises();
  for (const { time, frame } of readPcap(file)) {
    const payload = udpPayload(frame);
    if (payload) promises.hear(readReply(payload), time);
  }
  return promises;
}

async function leasesOf(rig: RackRig): Promise<Map<string, string>> {
  const { stdout, code, output } = await rig.rackboot('leases', '--json');
  assert.equal(code, 0, output);
  const leases = JSON.parse(stdout) as { mac: string; address: string }[];
  return new Map(leases.map(({ mac, address }) => [address, mac]));
}

/** Each asks for the address it was promised, as after a power cut. */
async function reboot(rig: RackRig, promised: readonly Promised[]): Promise<void> {
  const file = join(rig.directory, 'rebooting');
  const lines = promised.map(({ mac, address }) => `${mac} ${address}`);
  writeFileSync(file, `${lines.join('\n')}\n`);
  const { stdout } = await rig.client(execPath, REBOOT_CLIENT, '10.16.0.2', SERVER, file);
  assert.deepEqual(stdout.trim().split('\n'), lines);
}

function sampleOf(promised: readonly Promised[]): Promised[] {
  const step = Math.max(1, Math.floor(promised.length / SAMPLE));
  return promised.filter((_, i) => i % step === 0);
}

test(
  `a rack killed ${KILLS} times under load breaks no promise that was seen on the wire`,
  { skip: await reasonToSkip('kea-admin', 'tcpdump'), timeout: 60_000 + KILLS * 10_000 },
  async (t) => {
    await using rig = await RackRig.create('kills', CONFIG);
    for (const [end, words] of LINKS) {
      const argv = ['ip', ...words.split(' ')];
      const { code, output } = await (end === 'rack' ? rig.onRack(...argv) : rig.client(...argv));
      assert.equal(code, 0, output);
    }
    const file = join(rig.directory, 'replies.pcap');
    const endCapture = await capture(rig, file);
    const enough = new AbortController();
    const load = loadUntil(rig, enough.signal);
    for (let kill = 0; kill < KILLS; kill++) {
      await startAndKill(rig, EARLIEST_KILL + Math.random() * (LATEST_KILL - EARLIEST_KILL));
    }
    await rig.start();
    enough.abort();
    const shifts = await load;
    assert.equal(await endCapture(), 0, 'packets that tcpdump missed');

    const promises = promisesIn(file);
    t.diagnostic(`${KILLS} kills, ${shifts} runs of perfdhcp: ${JSON.stringify(promises.count)}`);
    assert.deepEqual(promises.broken, []);
    assert.equal(promises.count.moved, 0, 'machines that were given another address while they had one');
    assert.ok(promises.count.acks > 200 * KILLS, `${promises.count.acks} ACKs`);
    const leases = await leasesOf(rig);
    const holding = promises.holding(Date.now() / 1000 + 1);
    const lost = holding.filter(({ mac, address }) => leases.get(address) !== mac);
    assert.deepEqual(lost, []);
    const sample = sampleOf(holding.filter(({ address }) => address.startsWith('10.16.')));
    await reboot(rig, sample);
    t.diagnostic(`${holding.length} leases still ran and were all there; ${sample.length} machines came again`);
  },
);
