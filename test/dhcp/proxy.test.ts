import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SocketHandle } from '../../src/service/letters.ts';
import { readHexFixture } from '../fixtures/hex.ts';
import { DhcpRack, ETH0, LINK, type Answer } from './dhcp-rack.ts';
import {
  ACK,
  DECLINE,
  DISCOVER,
  dotted,
  INFORM,
  letters,
  OFFER,
  quad,
  RELEASE,
  REQUEST,
  writePacket,
} from './naive-packet.ts';
import { ip4, mac, RACK, testPlan, type SubnetWords } from './test-plan.ts';

const PROXY: SubnetWords = { management: 'proxy', dynamic: null, static: null, router: null, domain: null };
const RELAYED: SubnetWords = { ...PROXY, cidr: '10.0.7.0/24', interface: null, rack: null };
const BOOT_SERVER: SocketHandle = { ...ETH0, fd: 8, port: 4011 };
const CLIENT = '192.168.127.50';
const OTHER_SERVER = '192.168.127.2';
const SCRIPT = `http://${RACK}:5248/boot.ipxe`;

const GUID = [0, ...Array.from({ length: 16 }, (_, i) => i + 1)];
/** What a plain PXE ROM says of itself; iPXE's and OVMF's own words are in the fixtures. */
const BIOS = [
  [60, letters('PXEClient:Arch:00000:UNDI:002001')],
  [93, [0, 0]],
  [97, GUID],
] as const;
const UEFI = [
  [60, letters('PXEClient:Arch:00007:UNDI:003016')],
  [93, [0, 7]],
  [97, GUID],
] as const;

function proxyRack(...subnets: readonly SubnetWords[]): DhcpRack {
  return new DhcpRack(testPlan({ subnets: subnets.length === 0 ? [PROXY] : subnets }), [ETH0, BOOT_SERVER, LINK]);
}

/** The answer to a packet that comes to port 4011. */
function askBootServer(rack: DhcpRack, packet: Uint8Array, source = CLIENT, sourcePort = 4011): Answer | undefined {
  const socket = rack.sockets.get(BOOT_SERVER.fd);
  assert.ok(socket);
  socket.arrive(packet, ip4(RACK), ip4(source), sourcePort);
  return rack.exchange([], RACK, BOOT_SERVER.fd)[0];
}

function text(answer: Answer | undefined, code: number): string {
  return Buffer.from(answer?.options.get(code) ?? []).toString('latin1');
}

/** RFC 2131 table 3: what makes a lease. */
const LEASE_OPTIONS = new Set([1, 3, 6, 12, 15, 28, 51, 58, 59, 81]);

function assertNoLeaseOptions(answer: Answer | undefined): void {
  assert.ok(answer);
  assert.equal(answer.yiaddr, '0.0.0.0');
  const ofLease = answer.order.filter((code) => LEASE_OPTIONS.has(code));
  assert.deepEqual(ofLease, []);
}

function assertNoLease(rack: DhcpRack, answer: Answer | undefined): void {
  assertNoLeaseOptions(answer);
  assert.deepEqual([rack.store.commits.length, rack.leaseTable.size], [0, 0]);
}

describe('a DISCOVER on a proxy subnet is answered with what to boot and no address', () => {
  const asked = [
    ['a BIOS ROM', writePacket({ type: DISCOVER, options: BIOS }), 'undionly.kpxe', [6, 1, 8, 255]],
    ['OVMF, which is to ask again at 4011', readHexFixture('dhcp/ovmf-pxe-discover'), 'snponly.efi', undefined],
    ['the iPXE of a ROM', readHexFixture('dhcp/ipxe-rom-discover'), SCRIPT, undefined],
    ['the iPXE that UEFI loaded', readHexFixture('dhcp/ipxe-efi-discover'), SCRIPT, undefined],
  ] as const;
  for (const [who, packet, file, vendor] of asked) {
    test(who, () => {
      const rack = proxyRack();
      const offer = rack.ask(packet);
      assertNoLease(rack, offer);
      assert.equal(offer?.type, OFFER);
      assert.deepEqual([offer.file, text(offer, 67), offer.siaddr, text(offer, 66)], [file, `${file}\0`, RACK, RACK]);
      assert.equal(text(offer, 60), 'PXEClient');
      assert.equal(dotted(offer.options.get(54) ?? []), RACK);
      assert.equal(offer.options.get(97)?.length, 17);
      assert.deepEqual(offer.options.get(43), vendor);
      assert.notEqual(offer.order.at(-1), 67);
      assert.deepEqual([offer.via, offer.to, offer.port, offer.ifindex], ['udp', '255.255.255.255', 68, 2]);
      assert.equal(offer.flags, 0x8000);
      assert.deepEqual(rack.kinds(), ['dhcp.discover', 'dhcp.proxy-offer']);
      assert.equal(rack.count('sent.proxy-offer'), 1);
    });
  }

  test('a ROM without a machine id, or with a broken one, gets none back', () => {
    const broken = [...BIOS.filter(([code]) => code !== 97), [97, [0, 1, 2, 3, 4]]] as const;
    for (const options of [broken.slice(0, -1), broken]) {
      const offer = proxyRack().ask(writePacket({ type: DISCOVER, options }));
      assert.equal(offer?.file, 'undionly.kpxe');
      assert.equal(offer.options.get(97), undefined);
    }
  });

  test('a client behind a relay is answered through it, whole option 82 and all', () => {
    const rack = proxyRack(PROXY, RELAYED);
    const agent = [1, 2, 0xaa, 0xbb, 11, 4, ...quad('10.0.7.1')];
    const packet = writePacket({ type: DISCOVER, giaddr: '10.0.7.1', hops: 1, options: [...UEFI, [82, agent]] });
    const offer = rack.ask(packet, RACK);
    assertNoLease(rack, offer);
    assert.deepEqual([offer?.to, offer?.port, offer?.giaddr, offer?.flags], ['10.0.7.1', 67, '10.0.7.1', 0x8000]);
    assert.deepEqual(offer?.options.get(82), agent);
    assert.equal(offer?.order.at(-1), 82);
    // Not the relay's, which does not pass port 4011 on
    assert.equal(dotted(offer?.options.get(54) ?? []), RACK);
  });
});

describe('whoever asks at port 4011 is answered where it asked from', () => {
  for (const port of [68, 4011]) {
    test(`a REQUEST from port ${port}`, () => {
      const rack = proxyRack();
      const ack = askBootServer(rack, writePacket({ type: REQUEST, ciaddr: CLIENT, options: UEFI }), CLIENT, port);
      assert.equal(ack?.type, ACK);
      assert.deepEqual([ack.yiaddr, ack.ciaddr, ack.via, ack.to, ack.port], ['0.0.0.0', CLIENT, 'udp', CLIENT, port]);
      assert.deepEqual([ack.file, text(ack, 67), ack.siaddr], ['snponly.efi', 'snponly.efi\0', RACK]);
      assert.deepEqual([text(ack, 60), ack.options.get(97)], ['PXEClient', GUID]);
      assert.deepEqual(rack.kinds(), ['dhcp.elsewhere', 'dhcp.proxy-ack']);
      assert.equal(rack.count('sent.proxy-ack'), 1);
      assert.equal(rack.store.commits.length, 0);
    });
  }

  test('OVMF, as it was captured, which then boots', () => {
    const rack = proxyRack();
    const ack = askBootServer(rack, readHexFixture('dhcp/ovmf-pxe-boot-server-request'), '192.168.127.58');
    assertNoLeaseOptions(ack);
    assert.deepEqual([ack?.type, ack?.to, ack?.port, ack?.xid], [ACK, '192.168.127.58', 4011, 0xce0f7c2d]);
    assert.deepEqual([ack?.file, ack?.siaddr, text(ack, 60)], ['snponly.efi', RACK, 'PXEClient']);
  });

  test('an INFORM', () => {
    const ack = askBootServer(proxyRack(), writePacket({ type: INFORM, ciaddr: CLIENT, options: UEFI }), CLIENT, 68);
    assert.deepEqual([ack?.type, ack?.to, ack?.port, ack?.file], [ACK, CLIENT, 68, 'snponly.efi']);
  });

  test('a REQUEST without an address is answered by broadcast', () => {
    const ack = askBootServer(proxyRack(), writePacket({ type: REQUEST, options: UEFI }), '0.0.0.0', 68);
    assert.deepEqual([ack?.to, ack?.port], ['255.255.255.255', 68]);
  });

  test('a client of a routed network, by its own address', () => {
    const rack = proxyRack(PROXY, RELAYED);
    const ack = askBootServer(rack, writePacket({ type: REQUEST, ciaddr: '10.0.7.9', options: UEFI }), '10.0.7.9');
    assert.deepEqual([ack?.to, ack?.file, ack?.source], ['10.0.7.9', 'snponly.efi', RACK]);
  });

  test('but not one of a subnet in which this rack gives the addresses: it has been told all there', () => {
    const rack = proxyRack({});
    const packet = writePacket({ type: REQUEST, ciaddr: '192.168.127.111', options: UEFI });
    assert.equal(askBootServer(rack, packet, '192.168.127.111'), undefined);
    assert.equal(rack.count('passed-over'), 1);
  });
});

test('an INFORM to port 67 is answered at the address it says', () => {
  const ack = proxyRack().ask(writePacket({ type: INFORM, ciaddr: CLIENT, options: BIOS }));
  assert.deepEqual([ack?.type, ack?.to, ack?.port, ack?.file], [ACK, CLIENT, 68, 'undionly.kpxe']);
});

describe('nobody is written to who is on no proxy subnet: a sender can be forged', () => {
  const victim = '203.0.113.7';
  test('an INFORM to port 67 that says to have a foreign address', () => {
    const rack = proxyRack();
    assert.equal(rack.ask(writePacket({ type: INFORM, ciaddr: victim, options: BIOS })), undefined);
    assert.equal(rack.count('refused.foreign-address'), 1);
  });

  for (const ciaddr of ['0.0.0.0', CLIENT, victim]) {
    test(`a REQUEST to port 4011 from a foreign address, with ciaddr ${ciaddr}`, () => {
      const rack = proxyRack();
      assert.equal(askBootServer(rack, writePacket({ type: REQUEST, ciaddr, options: UEFI }), victim, 53), undefined);
      assert.equal(rack.count('refused.foreign-address'), 1);
    });
  }

  test('nor to the network’s own broadcast address', () => {
    const packet = writePacket({ type: INFORM, ciaddr: '192.168.127.255', options: BIOS });
    assert.equal(proxyRack().ask(packet), undefined);
  });
});

describe('what is the other server’s is left to it, and never refused', () => {
  const foreign = [
    [
      'a REQUEST that takes its offer',
      { type: REQUEST, options: [...UEFI, [54, quad(OTHER_SERVER)], [50, quad(CLIENT)]] },
    ],
    ['a REQUEST that names us', { type: REQUEST, options: [...UEFI, [54, quad(RACK)], [50, quad(CLIENT)]] }],
    ['a REQUEST for an address remembered', { type: REQUEST, options: [...UEFI, [50, quad('172.16.0.9')]] }],
    ['a REQUEST that renews', { type: REQUEST, ciaddr: CLIENT, options: UEFI }],
    ['a DISCOVER of an installed system', { type: DISCOVER, options: [[60, letters('MSFT 5.0')]] }],
    ['a DISCOVER that says nothing', { type: DISCOVER }],
    ['an INFORM of an installed system', { type: INFORM, ciaddr: CLIENT }],
    ['a RELEASE', { type: RELEASE, ciaddr: CLIENT }],
    ['a DECLINE', { type: DECLINE, options: [[50, quad(CLIENT)]] }],
    ['a BOOTP request', {}],
  ] as const;
  for (const [what, words] of foreign) {
    test(what, () => {
      const rack = proxyRack();
      assert.equal(rack.ask(writePacket(words)), undefined);
      assert.equal(rack.count('passed-over'), 1);
      assert.equal(rack.store.commits.length, 0);
      assert.ok(!rack.kinds().includes('dhcp.ignored'));
    });
  }

  for (const name of ['ovmf-pxe-request', 'ipxe-rom-request', 'udhcpc-request', 'windows-request']) {
    test(`the captured ${name}`, () => {
      assert.equal(proxyRack().ask(readHexFixture(`dhcp/${name}`)), undefined);
    });
  }
});

test('a machine for which there is nothing to boot gets no offer, and the timeline says why', () => {
  const rack = proxyRack();
  const arm = [
    [60, letters('PXEClient:Arch:00011:UNDI:003016')],
    [93, [0, 11]],
  ] as const;
  assert.equal(rack.ask(writePacket({ type: DISCOVER, options: arm })), undefined);
  assert.equal(rack.count('refused.nothing-to-boot'), 1);
  const [, ignored] = rack.told;
  assert.deepEqual([ignored?.kind, ignored?.mac], ['dhcp.ignored', '52:54:00:00:00:01']);
});

test('the address a machine takes from the other server is told once, and that it gives it back', () => {
  const rack = proxyRack();
  const take = writePacket({
    type: REQUEST,
    options: [
      [54, quad(OTHER_SERVER)],
      [50, quad(CLIENT)],
    ],
  });
  rack.exchange([take, take]);
  const elsewhere = { kind: 'dhcp.elsewhere', server: OTHER_SERVER, mac: '52:54:00:00:00:01', address: CLIENT };
  assert.deepEqual(rack.told, [elsewhere]);
  const [fact] = rack.leaseTable.values();
  assert.deepEqual([fact?.mac, fact?.address, fact?.elsewhere], [mac('52:54:00:00:00:01'), ip4(CLIENT), true]);
  rack.ask(writePacket({ type: RELEASE, ciaddr: CLIENT }));
  assert.deepEqual([rack.leaseTable.size, rack.ended], [0, [CLIENT]]);
});

test('an address of another network is nobody’s', () => {
  const rack = proxyRack();
  rack.ask(writePacket({ type: REQUEST, options: [[50, quad('172.16.0.9')]] }));
  assert.equal(rack.leaseTable.size, 0);
});

test('a subnet that becomes a proxy’s stops giving addresses at once, and starts again', () => {
  const rack = proxyRack({});
  const packet = writePacket({ type: DISCOVER, options: BIOS });
  assert.equal(rack.ask(packet)?.yiaddr, '192.168.127.111');
  rack.apply(testPlan({ subnets: [PROXY] }));
  assert.equal(rack.ask(packet)?.yiaddr, '0.0.0.0');
  rack.apply(testPlan({ subnets: [{}] }));
  assert.equal(rack.ask(packet)?.yiaddr, '192.168.127.111');
});

test('a lease can’t be imported into a proxy subnet', () => {
  const hosts = [{ name: 'node1', macs: ['52:54:00:00:00:01'], address: CLIENT }];
  const rack = new DhcpRack(testPlan({ subnets: [PROXY], hosts }));
  const lease = { line: 2, address: ip4(CLIENT), mac: mac('52:54:00:00:00:01'), expires: 4_000_000_000 };
  const { done, refused } = rack.service.obey({ kind: 'import', leases: [lease] });
  assert.deepEqual(done, []);
  assert.match(refused[0]?.reason ?? '', /another server gives the addresses there/);
});

test('with a disk that takes nothing the proxy answers all the same', () => {
  const rack = proxyRack();
  rack.store.failing = true;
  assert.equal(rack.ask(writePacket({ type: DISCOVER, options: BIOS }))?.file, 'undionly.kpxe');
});
