import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatIp4, LIMITED_BROADCAST } from '../../src/addr/ip4.ts';
import { accountOf, type Account } from '../../src/dhcp/account.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { readHexFixture } from '../fixtures/hex.ts';
import { planOf } from '../plan/rack-a1.ts';
import { DhcpRack, ETH0, LINK } from './dhcp-rack.ts';
import { Machine, macOf } from './machine.ts';
import { DISCOVER, INFORM, letters, quad, REQUEST, writePacket, type Words } from './naive-packet.ts';
import { ip4, RACK } from './test-plan.ts';

const PLAN: Plan = planOf(
  `
subnets:
  - cidr: 192.168.127.0/24
    interface: eth0
    shared: front
    management: dhcp+dns
    dynamic: 192.168.127.111-192.168.127.112
    static: 192.168.127.221-192.168.127.222
    pools: [{ range: 192.168.127.150-192.168.127.151, class: row-7 }]
    router: 192.168.127.254
    domain: rack.example
    options: { ntp-servers: 192.168.127.100 }
    always: [ntp-servers]
  - { cidr: 10.8.0.0/24, shared: front, interface: eth0, management: dhcp, dynamic: 10.8.0.5-10.8.0.5, rapid-commit: true }
  - { cidr: 10.0.7.0/24, management: dhcp, dynamic: 10.0.7.5-10.0.7.9, client-id: use, bootp: dynamic }
  - { cidr: 10.0.8.0/24, management: dhcp }
hosts:
  - { name: node1, mac: "${macOf(1)}", address: 192.168.127.50, boot: debian, options: { wpad: host }, always: [wpad] }
  - { name: node2, mac: "${macOf(2)}" }
  - { name: node3, circuit-id: port-3, address: 192.168.127.53, boot: debian }
classes:
  - { name: row-7, match: { circuit-id: port-7 }, options: { wpad: class, root-path: / } }
  - { name: uefi, match: { arch: [7, 9] }, options: { root-path: /uefi } }
options: { wpad: all, domain-search: a.b }
boot: { entries: { debian: { kernel: debian/vmlinuz } } }
dns: { names: [{ name: www.rack.example, addresses: [192.168.127.60] }] }
`,
  {
    interfaces: [
      { name: 'eth0', address: ip4(RACK), prefix: 24 },
      { name: 'eth0', address: ip4('10.8.0.1'), prefix: 24 },
    ],
  },
);

interface Case {
  readonly title: string;
  readonly packet: Uint8Array;
  readonly to?: string;
  /** What happened before. */
  readonly before?: (rack: DhcpRack) => void;
  /** What the account must say, by its parts. */
  readonly says: Partial<
    Record<'answer' | 'subnet' | 'machine' | 'address' | 'name' | 'dns' | 'boot' | 'bootPlan' | 'way', string>
  >;
  readonly from?: Readonly<Record<number, string>>;
}

const ask = (words: Words): Uint8Array => writePacket({ type: DISCOVER, ...words });
const port = (name: string): readonly [number, readonly number[]] => [82, [1, name.length, ...letters(name)]];

const CASES: readonly Case[] = [
  {
    title: 'a stranger',
    packet: ask({ mac: macOf(9) }),
    says: {
      answer: 'OFFER of 192.168.127.111',
      subnet: '192.168.127.0/24: it is on eth0, where this was heard; on its link are 192.168.127.0/24 and 10.8.0.0/24',
      machine: 'no host of the file',
      address: '192.168.127.111: a free one, by then',
      boot: 'not a network boot client',
      bootPlan: 'local: no host has this MAC',
      way: `192.168.127.111 at ${macOf(9)} unicast at layer 2`,
    },
    from: { 42: 'subnet, always (subnet)', 252: 'all clients', 3: 'subnet (router)', 51: 'subnet (lease)' },
  },
  {
    title: 'a host by its MAC, with a wish of its own',
    packet: ask({ mac: macOf(1), broadcast: true, options: [[55, [1, 3, 252]]] }),
    says: {
      answer: 'OFFER of 192.168.127.50',
      machine: 'host node1, known by its MAC',
      address: '192.168.127.50: written down for its host (in no range)',
      name: "node1: the host's own",
      bootPlan: 'debian: host node1 boots the boot entry "debian"',
      way: '255.255.255.255 broadcast: it asks for that',
    },
    from: { 252: 'host node1, asked for', 3: 'subnet (router), asked for' },
  },
  {
    title: 'one that calls itself as nobody does',
    packet: ask({ mac: macOf(9), options: [[12, letters('pc')]] }),
    says: { name: 'pc: it calls itself so', dns: 'pc.rack.example' },
  },
  {
    title: 'one that calls itself as a host',
    packet: ask({ mac: macOf(9), options: [[12, letters('node1')]] }),
    says: { name: 'undefined: it calls itself node1, which is the name of a host', dns: 'none' },
  },
  {
    title: 'one that calls itself by a name of dns.names',
    packet: ask({ mac: macOf(9), options: [[12, letters('www')]] }),
    says: { name: 'undefined: it calls itself www, which is in dns.names here, or a domain', dns: 'none' },
  },
  {
    title: 'a host without an address, that had one before',
    packet: ask({ mac: macOf(2) }),
    before: (rack) => void new Machine(rack, 2).boot(),
    says: { address: '192.168.127.221: it holds this address, or held it last (static range' },
  },
  {
    title: 'a host by its port, behind a relay that selects the link',
    packet: ask({
      mac: macOf(10),
      giaddr: '10.0.7.1',
      options: [[82, [...port('port-3')[1], 5, 4, 192, 168, 127, 0]]],
    }),
    to: RACK,
    says: {
      subnet: '192.168.127.0/24: its relay 10.0.7.1 selects it (option 82.5, RFC 3527)',
      machine: 'host node3, known by the port it is on',
      bootPlan: 'debian: host node3',
      way: '10.0.7.1 to its relay',
    },
    from: { 82: 'given back as it came' },
  },
  {
    title: 'a machine of two classes in a pool of one',
    packet: ask({ mac: macOf(11), options: [port('port-7'), [93, [0, 7]], [60, letters('PXEClient')]] }),
    says: {
      address:
        '192.168.127.150: a free one, by then perhaps another: it has none, and asks for none that it may have (pool',
      boot: 'snponly.efi from 192.168.127.1: architecture 7 is x86-64 UEFI',
    },
    from: { 252: 'class row-7', 17: 'class uefi', 67: 'the boot offer' },
  },
  {
    title: 'an iPXE, which wants an address',
    packet: ask({
      mac: macOf(12),
      options: [
        [50, quad('192.168.127.112')],
        [77, letters('iPXE')],
      ],
    }),
    says: { address: '192.168.127.112: it asks for it', boot: 'http://192.168.127.1:5248/boot.ipxe' },
  },
  {
    title: 'one for whom there is room in the second subnet of the link only',
    packet: ask({ mac: macOf(13), options: [[80, []]] }),
    before: (rack) => [1, 2].forEach((n) => new Machine(rack, 20 + n).boot()),
    says: { answer: 'ACK of 10.8.0.5', subnet: '10.8.0.0/24: it is on eth0' },
    from: { 80: 'subnet (rapid-commit)' },
  },
  {
    title: 'one that remembers an address of another network',
    packet: writePacket({ type: REQUEST, mac: macOf(14), options: [[50, quad('10.99.0.1')]] }),
    says: { answer: 'NAK: 10.99.0.1 is not on this network', way: '255.255.255.255 broadcast, as a NAK is' },
    from: { 56: 'why it is refused' },
  },
  {
    title: 'one that renews what it has',
    packet: writePacket({ type: REQUEST, mac: macOf(15), ciaddr: '192.168.127.111' }),
    to: RACK,
    before: (rack) => void new Machine(rack, 15).boot(),
    says: {
      answer: 'ACK of 192.168.127.111',
      subnet: '192.168.127.0/24: it writes to the rack alone',
      address: '192.168.127.111: it asks for it, and by our record',
      way: '192.168.127.111 to the address it has',
    },
  },
  {
    title: 'one that asks for options only',
    packet: writePacket({ type: INFORM, mac: macOf(16), ciaddr: '192.168.127.9' }),
    says: { answer: 'ACK of options', way: '192.168.127.9 to its own address' },
  },
  {
    title: 'one that speaks BOOTP behind a relay, by its client identifier',
    packet: writePacket({ mac: macOf(17), giaddr: '10.0.7.1' }),
    to: RACK,
    says: { answer: 'BOOTP reply of 10.0.7.5', way: '10.0.7.1 to its relay' },
  },
  {
    title: 'a real ROM',
    packet: readHexFixture('dhcp/ovmf-pxe-discover'),
    says: { boot: 'snponly.efi from' },
  },
  {
    title: 'one in a subnet without a range',
    packet: ask({ mac: macOf(18), giaddr: '10.0.8.1' }),
    to: RACK,
    says: { answer: 'nothing: this subnet has no range for a machine like this', subnet: '10.0.8.0/24: its relay' },
  },
  {
    title: 'one behind a relay of nobody',
    packet: ask({ mac: macOf(19), giaddr: '10.77.0.1' }),
    to: RACK,
    says: { answer: 'nothing: relay 10.77.0.1 speaks for no subnet of this rack' },
  },
];

describe('an account agrees with what the service then sends to', () => {
  for (const { title, packet, to, before, says, from = {} } of CASES) {
    test(title, () => {
      const rack = new DhcpRack(PLAN, [ETH0, LINK]);
      before?.(rack);
      // As after a restart: what was offered is forgotten
      rack.restart(PLAN);
      const leases = { leases: rack.store.load() };
      const destination = ip4(to ?? formatIp4(LIMITED_BROADCAST));
      const datagram = { bytes: packet.slice(), source: ip4('0.0.0.0'), sourcePort: 68, destination, ifindex: 2 };
      const account = accountOf(PLAN, leases, { datagram, handle: ETH0 }, rack.time);
      const answer = rack.ask(packet, to);
      assert.equal(account.reply?.bytes, answer && Buffer.from(answer.bytes).toString('hex'));
      assert.equal(account.reply?.to.split(' ')[0], answer?.to);
      assert.equal(account.reply?.port, answer?.port);
      const told = wordsOf(account);
      for (const [part, words] of Object.entries(says))
        assert.ok(told[part]?.includes(words), `${part}: ${told[part]}`);
      for (const [code, origin] of Object.entries(from)) {
        assert.equal(account.reply?.options.find((option) => option.code === Number(code))?.from, origin, code);
      }
    });
  }
});

function wordsOf({
  answer,
  subnet,
  machine,
  address,
  name,
  dns,
  boot,
  bootPlan,
  reply,
}: Account): Record<string, string> {
  return {
    answer,
    subnet: `${subnet?.cidr}: ${subnet?.why}`,
    machine: machine?.why ?? '',
    address: `${address?.address}: ${address?.why}`,
    name: `${name?.name}: ${name?.why}`,
    dns: dns?.name ?? 'none',
    boot: `${boot?.file} from ${boot?.server}: ${boot?.why}`,
    bootPlan: `${bootPlan?.target}: ${bootPlan?.why}`,
    way: `${reply?.to} ${reply?.why}`,
  };
}

test('the script of an account is the one its machine fetches, with the address it gets', () => {
  const datagram = {
    bytes: ask({ mac: macOf(1) }),
    source: ip4('0.0.0.0'),
    sourcePort: 68,
    destination: LIMITED_BROADCAST,
    ifindex: 2,
  };
  const { script, classes } = accountOf(PLAN, { leases: [] }, { datagram, handle: ETH0 }, new DhcpRack(PLAN).time);
  assert.equal(script?.url, 'http://192.168.127.1:5248/ipxe/52-54-00-00-00-01');
  assert.ok(script.text.includes('kernel http://192.168.127.1:5248/debian/vmlinuz'));
  assert.deepEqual(classes, []);
});
