import assert from 'node:assert/strict';
import { fstatSync, readdirSync } from 'node:fs';
import { before, beforeEach, afterEach, describe, test } from 'node:test';

import { broadcastOf, parseCidr } from '../../src/addr/cidr.ts';
import { formatIp4, LIMITED_BROADCAST, parseIp4, UNSPECIFIED, type Ip4 } from '../../src/addr/ip4.ts';
import { BROADCAST_MAC, readMac } from '../../src/addr/mac.ts';
import type { Plan, Subnet } from '../../src/plan/plan.ts';
import { Listeners } from '../../src/rack/listeners.ts';
import type { SocketHandle } from '../../src/service/letters.ts';
import { loadLibc } from '../../src/system/libc.ts';
import { LinkSocket, openLinkSocket } from '../../src/system/link-socket.ts';
import { openUdp, UdpSockets } from '../../src/system/udp-socket.ts';
import { enterOwnNetwork, ip, noOwnNetwork } from './own-network.ts';
import { NO_DNS } from '../plan/no-dns.ts';

function ip4(text: string): Ip4 {
  const address = parseIp4(text);
  assert.ok(address !== undefined);
  return address;
}

function subnet(text: string, more: Partial<Subnet> = {}): Subnet {
  const cidr = parseCidr(text);
  assert.ok(cidr);
  return { cidr, management: 'dhcp+dns', broadcast: broadcastOf(cidr), dns: [], leaseSeconds: 3600, ...more };
}

function planOf(subnets: readonly Subnet[], port = 5248): Plan {
  return {
    rack: { name: 'rack-t', state: '/nowhere', control: '/nowhere/control.sock' },
    subnets,
    hosts: [],
    boot: { files: '/nowhere', default: 'local', entries: [], loaders: {} },
    http: { port },
    tftp: { blockSize: 1468, window: 64, transfers: 4000, perClient: 1000, singlePort: false },
    dns: NO_DNS,
    admin: { address: ip4('127.0.0.1'), port: 5249 },
    log: { level: 'info' },
    timeline: { ageSeconds: 30 * 86_400, bytes: 64 * 2 ** 20 },
  };
}

const LEFT = subnet('10.1.0.0/24', { interface: 'left', rackAddress: ip4('10.1.0.1') });
const RIGHT = subnet('10.2.0.0/24', { interface: 'right', rackAddress: ip4('10.2.0.1') });
const RELAYED = subnet('10.3.0.0/24');
const SERVICES = ['dhcp', 'dns', 'tftp', 'http'] as const;

/** Of one subnet, whose DNS has so many threads. */
function threads(count: number): Plan {
  const plan = planOf([LEFT]);
  return { ...plan, dns: { ...plan.dns, threads: count } };
}

const BESIDE = { address: ip4('10.1.0.1'), port: 53, reusePort: true };

function openCount(): number {
  return readdirSync('/proc/self/fd').length;
}

function byNumber(a: SocketHandle, b: SocketHandle): number {
  return a.fd - b.fd;
}

function makeAgain(): void {
  ip('link add again type veth peer name niaga');
  ip('address add 10.4.0.1/24 dev again');
  ip('link set again up');
}

describe('the rack’s sockets', { skip: noOwnNetwork() }, () => {
  const libc = loadLibc();
  let listeners: Listeners;
  let openBefore: number;

  before(enterOwnNetwork);

  beforeEach(() => {
    ip('address replace 10.1.0.1/24 dev left');
    ip('address replace 10.2.0.1/24 dev right');
    openBefore = openCount();
    listeners = new Listeners(libc);
  });

  afterEach(() => {
    listeners.close();
    assert.equal(openCount(), openBefore, 'descriptors leak');
  });

  /** Switches to a Plan as a rack does. */
  function apply(plan: Plan): void {
    listeners.prepare(plan).commit()();
  }

  function handles(): SocketHandle[] {
    return SERVICES.flatMap((service) => [...listeners.handles(service)]);
  }

  /** "dhcp udp 67 10.1.0.1 left", and so on. */
  function summary(): string[] {
    return SERVICES.flatMap((service) =>
      listeners
        .handles(service)
        .map(({ transport, port, address, interface: device }) =>
          [service, transport, port, formatIp4(address), device].filter((word) => word !== undefined).join(' '),
        ),
    ).toSorted();
  }

  /** As a client does that has no address yet. */
  function sendDiscover(device: string): void {
    const fd = openLinkSocket(libc);
    const link = new LinkSocket(libc, fd);
    const [ifindex, mac] = [libc.if_nametoindex(device), BROADCAST_MAC];
    const ports = { sourcePort: 68, port: 67 };
    link.send(Buffer.from('discover'), { ifindex, mac, source: UNSPECIFIED, address: LIMITED_BROADCAST, ...ports });
    assert.equal(link.flush(), 0);
    libc.close(fd);
  }

  function sendTo(device: string, address: string, words: string): void {
    const fd = openLinkSocket(libc);
    const link = new LinkSocket(libc, fd);
    const [ifindex, mac] = [libc.if_nametoindex(device), readMac(Uint8Array.of(2, 0, 0, 0, 0, 10), 0)];
    const to = { address: ip4(address), sourcePort: 68, port: 67 };
    link.send(Buffer.from(words), { ifindex, mac, source: ip4('10.1.0.77'), ...to });
    assert.equal(link.flush(), 0);
    libc.close(fd);
  }

  function read(fd: number | undefined): string[] {
    assert.ok(fd !== undefined);
    const heard: string[] = [];
    new UdpSockets(libc).adopt(fd).receive(({ bytes }) => heard.push(Buffer.from(bytes).toString()));
    return heard;
  }

  function udpOf(thread: number): number {
    const found = listeners.handles('dns', thread).filter(({ transport }) => transport === 'udp');
    assert.equal(found.length, 1);
    return found[0]?.fd ?? -1;
  }

  /** One from each of so many ports. */
  function sendMany(count: number, words: string): void {
    const sockets = new UdpSockets(libc);
    for (let i = 0; i < count; i++) {
      const { socket } = sockets.open({ address: ip4('10.1.0.1'), port: 0 });
      socket.send(Buffer.from(words), BESIDE);
      assert.equal(socket.flush(), 0);
      socket.close();
    }
  }

  test('are two for HTTP where there is HTTPS', () => {
    const plain = planOf([LEFT]);
    apply({ ...plain, http: { port: 5248, tls: { port: 5250, certificate: '/c', key: '/k' } } });
    assert.deepEqual(
      listeners.handles('http').map(({ port }) => port),
      [5248, 5250],
    );
    apply(plain);
    assert.deepEqual(
      listeners.handles('http').map(({ port }) => port),
      [5248],
    );
  });

  test('are those that the management of each subnet asks for', () => {
    apply(planOf([LEFT, { ...RIGHT, management: 'dhcp' }, RELAYED], 8080));
    assert.deepEqual(summary(), [
      'dhcp arp 0 0.0.0.0 left',
      'dhcp arp 0 0.0.0.0 right',
      'dhcp link 0 0.0.0.0',
      'dhcp udp 67 10.1.0.1 left',
      'dhcp udp 67 10.2.0.1 right',
      'dns tcp 53 10.1.0.1',
      'dns udp 53 10.1.0.1',
      'http tcp 8080 10.1.0.1',
      'http tcp 8080 10.2.0.1',
      'tftp udp 69 10.1.0.1',
      'tftp udp 69 10.2.0.1',
    ]);
    for (const { interface: device, ifindex } of listeners.handles('dhcp')) {
      assert.equal(ifindex, device === undefined ? undefined : libc.if_nametoindex(device));
    }
  });

  test('are none for a subnet that is not managed', () => {
    apply(planOf([{ ...LEFT, management: 'none' }]));
    assert.deepEqual(summary(), []);
  });

  test('hear ARP once on an interface where a subnet has its addresses looked for, and on no other', () => {
    const second = subnet('10.1.1.0/24', { interface: 'left', rackAddress: ip4('10.1.0.1'), conflictCheck: 'off' });
    apply(planOf([LEFT, second, { ...RIGHT, conflictCheck: 'off' }, RELAYED]));
    assert.deepEqual(
      summary().filter((line) => line.startsWith('dhcp arp')),
      ['dhcp arp 0 0.0.0.0 left'],
    );
  });

  test('hear relays on any address when every subnet is behind one', () => {
    apply(planOf([RELAYED, { ...LEFT, management: 'none' }]));
    assert.deepEqual(summary(), ['dhcp udp 67 0.0.0.0']);
  });

  test('hear relays on interfaces without a subnet too, unless another program is there', () => {
    apply({ ...planOf([LEFT, RELAYED]), relayInterfaces: ['right', 'nowhere'] });
    assert.deepEqual(
      summary().filter((line) => line.startsWith('dhcp udp')),
      ['dhcp udp 67 0.0.0.0 right', 'dhcp udp 67 10.1.0.1 left'],
    );
    apply(planOf([LEFT]));
    const holder = openUdp(libc, { address: UNSPECIFIED, port: 67, interface: 'right' });
    apply({ ...planOf([LEFT, RELAYED]), relayInterfaces: ['right'] });
    assert.equal(summary().filter((line) => line.startsWith('dhcp udp')).length, 1);
    libc.close(holder);
  });

  test('of a proxy subnet are shared with a server of addresses on this machine, and 4011 is its own', () => {
    const other = openUdp(libc, { address: UNSPECIFIED, port: 67, interface: 'left', reuseAddress: true });
    apply(planOf([{ ...LEFT, management: 'proxy' }]));
    assert.deepEqual(
      summary().filter((line) => !line.startsWith('dhcp link')),
      ['dhcp udp 4011 10.1.0.1 left', 'dhcp udp 67 10.1.0.1 left', 'http tcp 5248 10.1.0.1', 'tftp udp 69 10.1.0.1'],
    );
    sendDiscover('right');
    // A client renewing its lease writes to the server's own address, which is this machine's
    sendTo('right', '10.1.0.1', 'renewal');
    const ours = listeners.handles('dhcp').find(({ port }) => port === 67);
    assert.deepEqual(read(ours?.fd), ['discover']);
    assert.deepEqual(read(other), ['discover', 'renewal']);
    libc.close(other);
  });

  test('of a proxy subnet hear relays too, when one of the subnets is behind a relay', () => {
    apply(planOf([{ ...LEFT, management: 'proxy' }, RELAYED]));
    sendTo('right', '10.1.0.1', 'relayed');
    const ours = listeners.handles('dhcp').find(({ port }) => port === 67);
    assert.deepEqual(read(ours?.fd), ['relayed']);
  });

  test('of port 4011 are on every interface where machines behind relays may come by', () => {
    apply({ ...planOf([LEFT, { ...RELAYED, management: 'proxy' }]), relayInterfaces: ['right'] });
    assert.deepEqual(
      summary().filter((line) => line.includes(' 4011 ')),
      ['dhcp udp 4011 0.0.0.0 right', 'dhcp udp 4011 10.1.0.1 left'],
    );
    apply(planOf([]));
    apply(planOf([{ ...RELAYED, management: 'proxy' }]));
    assert.deepEqual(summary(), ['dhcp udp 4011 0.0.0.0', 'dhcp udp 67 0.0.0.0']);
  });

  test('go over from proxy to giving addresses and back while they are open, and are shared as a proxy only', () => {
    const proxied = { ...LEFT, management: 'proxy' as const };
    const beside = { address: UNSPECIFIED, port: 67, interface: 'left', reuseAddress: true };
    for (const plan of [planOf([proxied]), planOf([LEFT]), planOf([proxied]), planOf([LEFT])]) apply(plan);
    assert.throws(() => openUdp(libc, beside), { code: 'EADDRINUSE' });
    listeners.prepare(planOf([proxied])).cancel();
    assert.throws(() => openUdp(libc, beside), { code: 'EADDRINUSE' });
    apply(planOf([proxied]));
    libc.close(openUdp(libc, beside));
  });

  test('hear a broadcast on their own wire only', () => {
    apply(planOf([LEFT, RIGHT]));
    sendDiscover('right');
    const sockets = new UdpSockets(libc);
    const heard = listeners.handles('dhcp').flatMap(({ fd, transport, interface: device }) => {
      const datagrams: string[] = [];
      if (transport === 'udp') {
        sockets.adopt(fd).receive(({ bytes, destination, ifindex }) => {
          const came = ifindex === libc.if_nametoindex('left') ? 'left' : `interface ${ifindex}`;
          datagrams.push(`${Buffer.from(bytes).toString()} to ${formatIp4(destination)} from ${came} at ${device}`);
        });
      }
      return datagrams;
    });
    assert.deepEqual(heard, ['discover to 255.255.255.255 from left at left']);
  });

  describe('of several DNS threads', () => {
    test('are one for each, which share what comes by UDP; TCP is the first one’s', () => {
      apply(threads(3));
      assert.deepEqual(
        [1, 2, 3, 4].map((thread) => listeners.handles('dns', thread).map(({ transport }) => transport)),
        [['udp', 'tcp'], ['udp'], ['udp'], []],
      );
      sendMany(60, 'question');
      const counts = [1, 2, 3].map((thread) => read(udpOf(thread)).length);
      assert.equal(
        counts.reduce((sum, count) => sum + count),
        60,
      );
      assert.ok(
        counts.every((count) => count > 0),
        counts.join(' '),
      );
    });

    test('come and go with the Plan; those that go keep what they hold, and get no more', () => {
      apply(threads(1));
      const first = udpOf(1);
      apply(threads(3));
      assert.equal(udpOf(1), first);
      const gone = [udpOf(2), udpOf(3)];
      sendMany(60, 'before');
      const closeGone = listeners.prepare(threads(1)).commit();
      sendMany(60, 'after');
      const [kept, ...last] = [first, ...gone].map(read);
      assert.equal(kept?.filter((words) => words === 'after').length, 60);
      assert.ok(last.flat().length > 0 && last.flat().every((words) => words === 'before'));
      assert.equal([kept ?? [], ...last].flat().length, 120);
      closeGone();
    });

    test('are shared with nobody else while there is but one, also when more were not to be', () => {
      apply(threads(1));
      assert.throws(() => openUdp(libc, BESIDE), { code: 'EADDRINUSE' });
      listeners.prepare(threads(2)).cancel();
      assert.throws(() => openUdp(libc, BESIDE), { code: 'EADDRINUSE' });
      apply(threads(2));
      apply(threads(1));
      assert.throws(() => openUdp(libc, BESIDE), { code: 'EADDRINUSE' });
    });

    test('are not opened beside another program, though it would share the port', () => {
      const other = openUdp(libc, BESIDE);
      assert.throws(() => listeners.prepare(threads(2)), { name: 'ListenError', message: /^dns can't have 53\/udp/ });
      libc.close(other);
    });
  });

  test('stay the same under a Plan that needs the same', () => {
    apply(planOf([LEFT, RIGHT]));
    const had = handles();
    apply(planOf([RIGHT, { ...LEFT, leaseSeconds: 60 }]));
    assert.deepEqual(handles().toSorted(byNumber), had.toSorted(byNumber));
  });

  test('that a Plan no longer needs are open until nobody uses them', () => {
    apply(planOf([LEFT, RIGHT]));
    const had = handles();
    const closeGone = listeners.prepare(planOf([LEFT])).commit();
    const kept = new Set(handles().map(({ fd }) => fd));
    const gone = had.filter(({ fd }) => !kept.has(fd));
    assert.deepEqual([kept.size, gone.length], [7, 6]);
    for (const { fd } of gone) assert.ok(fstatSync(fd).isSocket());
    closeGone();
    for (const { fd } of gone) assert.throws(() => fstatSync(fd), { code: 'EBADF' });
    for (const fd of kept) assert.ok(fstatSync(fd).isSocket());
  });

  test('that were opened for a Plan that is not taken are closed, the others stay', () => {
    apply(planOf([LEFT]));
    const had = handles();
    const count = openCount();
    const prepared = listeners.prepare(planOf([RIGHT], 8080));
    assert.equal(openCount(), count + 6);
    prepared.cancel();
    assert.equal(openCount(), count);
    assert.deepEqual(handles(), had);
  });

  test('move with the port of HTTP', () => {
    apply(planOf([LEFT]));
    const [old] = listeners.handles('http');
    const closeGone = listeners.prepare(planOf([LEFT], 8080)).commit();
    const [fresh] = listeners.handles('http');
    assert.notEqual(fresh?.fd, old?.fd);
    assert.equal(fresh?.port, 8080);
    closeGone();
  });

  test('tell the address that their interface has now', () => {
    apply(planOf([LEFT]));
    ip('address add 10.1.0.2/24 dev left');
    apply(planOf([{ ...LEFT, rackAddress: ip4('10.1.0.2') }]));
    assert.deepEqual(new Set(handles().map(({ address }) => formatIp4(address))), new Set(['10.1.0.2', '0.0.0.0']));
    ip('address delete 10.1.0.2/24 dev left');
  });

  test('are opened anew on an interface that was made anew', () => {
    const device = subnet('10.4.0.0/24', { interface: 'again', rackAddress: ip4('10.4.0.1') });
    const dhcp = (): SocketHandle | undefined => listeners.handles('dhcp').find(({ transport }) => transport === 'udp');
    const arp = (): SocketHandle | undefined => listeners.handles('dhcp').find(({ transport }) => transport === 'arp');
    makeAgain();
    apply(planOf([device]));
    const old = dhcp();
    const oldArp = arp();
    ip('link delete again');
    makeAgain();
    const closeGone = listeners.prepare(planOf([device])).commit();
    assert.notEqual(dhcp()?.fd, old?.fd);
    assert.notEqual(arp()?.fd, oldArp?.fd);
    assert.equal(dhcp()?.ifindex, libc.if_nametoindex('again'));
    closeGone();
    ip('link delete again');
  });

  const FAULTS: readonly (readonly [title: string, plan: Plan, message: RegExp])[] = [
    [
      'an address this machine does not have',
      planOf([{ ...LEFT, rackAddress: ip4('10.9.0.1') }]),
      /^tftp can't have 69\/udp on 10\.9\.0\.1: this machine does not have that address/,
    ],
    [
      'an interface that is not there',
      planOf([RIGHT, { ...LEFT, interface: 'nowhere' }]),
      /^dhcp can't have 67\/udp on nowhere: there is no interface nowhere: correct `interface` in the file/,
    ],
  ];

  for (const [title, plan, message] of FAULTS) {
    test(`are all or none: ${title} is named, and nothing stays open`, () => {
      const count = openCount();
      assert.throws(() => listeners.prepare(plan), { name: 'ListenError', message });
      assert.equal(openCount(), count);
      assert.deepEqual(handles(), []);
    });
  }

  test('are all or none: a port in use is named with its holder, and what was served is served on', () => {
    apply(planOf([LEFT]));
    const had = handles();
    const holder = openUdp(libc, { address: ip4('10.2.0.1'), port: 69 });
    const count = openCount();
    assert.throws(() => listeners.prepare(planOf([LEFT, RIGHT])), {
      name: 'ListenError',
      message: new RegExp(
        `^tftp can't have 69/udp on 10\\.2\\.0\\.1: another program has it \\(.+, process ${process.pid}\\); stop that program`,
      ),
    });
    assert.equal(openCount(), count);
    assert.deepEqual(handles(), had);
    libc.close(holder);
  });
});
