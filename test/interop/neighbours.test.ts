import assert from 'node:assert/strict';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { test } from 'node:test';

import { askDaemon } from '../../src/cli/control-client.ts';
import type { NeighbourLine, NeighbourReport } from '../../src/rack/watch-routes.ts';
import { CLIENT, RackRig, reasonToSkip, SIMPLE } from './rack-rig.ts';

const MACHINES = 200;
/** No probe for DHCP servers: nothing but ARP is said here. */
const CONFIG = `${SIMPLE}watch: { dhcp-probe: off }\n`;

/** Machine n, of 1 to 200: its own card, on the clients' wire, with an address outside all ranges. */
function macOf(n: number): string {
  return `00:25:90:00:00:${n.toString(16).padStart(2, '0')}`;
}

function addressOf(n: number): string {
  return `192.168.126.${n}`;
}

/** On a wider network than usual, so that there is room for them. */
const WIDE = CONFIG.replace('192.168.127.0/24', '192.168.126.0/23');

async function batch(rig: RackRig, lines: readonly string[]): Promise<void> {
  const { code, output } = await rig.client(
    'sh',
    '-c',
    `printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')} | ip -batch -`,
  );
  assert.equal(code, 0, output);
}

/** Cards that say who they are when they come up, and answer for their own address only. */
async function settle(rig: RackRig): Promise<void> {
  for (const scope of ['all', 'default']) {
    for (const setting of ['arp_notify', 'arp_ignore'])
      assert.equal((await rig.client('sysctl', '-qw', `net.ipv4.conf.${scope}.${setting}=1`)).code, 0);
  }
  const all = Array.from({ length: MACHINES }, (_, i) => i + 1);
  await batch(rig, [
    ...all.map((n) => `link add link client0 name m${n} address ${macOf(n)} type macvlan mode bridge`),
    ...all.map((n) => `address add ${addressOf(n)}/23 dev m${n}`),
    ...all.map((n) => `link set m${n} up`),
  ]);
}

function report(rig: RackRig): Promise<NeighbourReport> {
  return askDaemon<NeighbourReport>(rig.control, '/neighbours');
}

async function find(rig: RackRig, mac: string): Promise<NeighbourLine[]> {
  return (await report(rig)).neighbours.filter((line) => line.mac === mac);
}

test(
  'two hundred machines are known by what they say, one that moves at once, and those in VLANs',
  { skip: await reasonToSkip() },
  async (t) => {
    await using rig = await RackRig.create('neighbours', WIDE);
    assert.equal((await rig.onRack('ip', 'address', 'replace', '192.168.127.1/23', 'dev', 'rack0')).code, 0);
    assert.equal((await rig.onRack('ip', 'address', 'delete', '192.168.127.1/24', 'dev', 'rack0')).code, 0);
    await rig.start();
    await settle(rig);
    await rig.until('all to be known', async () => {
      const known = (await report(rig)).neighbours.filter(
        (line) => line.known && line.address.startsWith('192.168.126.'),
      );
      return known.length === MACHINES;
    });
    const { neighbours, conflicts, dhcpServers } = await report(rig);
    const pairs = neighbours
      .filter(({ address }) => address.startsWith('192.168.126.'))
      .map(({ address, mac }) => `${address} ${mac}`);
    assert.deepEqual(
      new Set(pairs),
      new Set(Array.from({ length: MACHINES }, (_, i) => `${addressOf(i + 1)} ${macOf(i + 1)}`)),
    );
    assert.deepEqual([conflicts, dhcpServers], [[], []]);
    assert.ok(neighbours.every((line) => line.interface === 'rack0' && line.vlan === undefined));
    assert.deepEqual(
      [...new Set(neighbours.map(({ vendor }) => vendor))].filter((vendor) => vendor !== undefined),
      ['Super Micro Computer'],
    );

    await batch(rig, [
      'link delete m7',
      `link add link client0 name m7 address 02:00:00:00:77:77 type macvlan mode bridge`,
      `address add ${addressOf(7)}/23 dev m7`,
    ]);
    const moved = Date.now();
    await batch(rig, ['link set m7 up']);
    await rig.until('the move', async () => (await rig.events()).some(({ kind }) => kind === 'neighbour.moved'));
    const move = (await rig.events()).find((event) => event.kind === 'neighbour.moved');
    t.diagnostic(`told ${(move?.at ?? 0) - moved} ms after the card came up`);
    assert.deepEqual([move?.mac, move?.address, move?.from], ['02:00:00:00:77:77', addressOf(7), macOf(7)]);
    assert.deepEqual(await find(rig, macOf(7)), []);

    // By hand, as not every kernel has VLANs
    for (const words of [
      ['02:00:00:00:01:00', '10.100.0.2', '81000064'],
      ['02:00:00:00:07:00', '10.7.0.2', '88a8000781000064'],
    ])
      assert.equal((await rig.client(execPath, join(import.meta.dirname, 'arp-client.ts'), ...words)).code, 0);
    await rig.until(
      'those in VLANs',
      async () =>
        (await find(rig, '02:00:00:00:07:00')).length > 0 && (await find(rig, '02:00:00:00:01:00')).length > 0,
    );
    const tagged = [...(await find(rig, '02:00:00:00:01:00')), ...(await find(rig, '02:00:00:00:07:00'))];
    assert.deepEqual(
      tagged.map(({ address, vlan }) => [address, vlan]),
      [
        ['10.100.0.2', '100'],
        ['10.7.0.2', '7.100'],
      ],
    );

    // Over a restart they are all there again, without a word of theirs
    await rig.end('SIGTERM');
    await rig.start();
    const again = (await report(rig)).neighbours.filter(({ address }) => address.startsWith('192.168.126.'));
    assert.equal(again.length, MACHINES);
    const lines = await rig.rackboot('neighbours');
    assert.match(
      lines.stdout,
      /^192\.168\.126\.1 +00:25:90:00:00:01 +rack0 +Super Micro Computer +\S+Z$/m,
      lines.output,
    );
    assert.equal(lines.code, 0);
  },
);

test('a scan finds those that say nothing by themselves', { skip: await reasonToSkip() }, async () => {
  await using rig = await RackRig.create('scan', CONFIG);
  assert.equal((await rig.client('ip', 'address', 'add', '192.168.127.9/24', 'dev', 'client0')).code, 0);
  await rig.start();
  const scan = await rig.rackboot('neighbours', 'scan', '--subnet', '192.168.127.0/28');
  assert.equal(scan.code, 0, scan.output);
  assert.match(scan.stdout, /^14 addresses asked for, 2 answered$/m);
  assert.match(scan.stdout, new RegExp(`^${CLIENT.replaceAll('.', '\\.')} `, 'm'));
  assert.match(scan.stdout, /^192\.168\.127\.9 /m);
  const elsewhere = await rig.rackboot('neighbours', 'scan', '--subnet', '10.0.0.0/24');
  assert.equal(elsewhere.code, 1);
  assert.match(elsewhere.output, /no subnet of this rack on a wire here is in it/);
});
