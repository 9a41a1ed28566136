import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMac } from '../../src/addr/mac.ts';
import { DhcpRack, ETH0, LINK, type Told } from './dhcp-rack.ts';
import { Machine } from './machine.ts';
import { ACK, dotted, NAK, quad } from './naive-packet.ts';
import { LOCAL, RACK, RELAYED, testPlan } from './test-plan.ts';

const ONE = '192.168.127.111-192.168.127.111';

test('a REQUEST meant for another server is left alone, and our offer is free again', () => {
  const rack = new DhcpRack(testPlan({ subnets: [{ dynamic: ONE }] }));
  const machine = new Machine(rack, 1);
  machine.discover();
  assert.equal(machine.select('192.168.127.50', { server: '192.168.127.2' }), undefined);
  assert.equal(rack.count('passed-over'), 1);
  assert.equal(rack.leaseTable.size, 0);
  assert.equal(new Machine(rack, 2).discover()?.yiaddr, '192.168.127.111');
});

test('a REQUEST for what another holds is refused', () => {
  const rack = new DhcpRack();
  const address = new Machine(rack, 1).boot();
  assert.equal(new Machine(rack, 2).select(address)?.type, NAK);
  assert.equal(new Machine(rack, 1).renew(address)?.type, ACK);
});

test('an offer that was forgotten in a restart is still good when the address is free', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const offer = machine.discover();
  rack.restart(testPlan());
  assert.equal(machine.select(offer?.yiaddr ?? '')?.type, ACK);
});

test('one client cannot hold a second address: taking it gives the first one back', () => {
  const rack = new DhcpRack(testPlan({ subnets: [{ dynamic: '192.168.127.111-192.168.127.112' }] }));
  const greedy = new Machine(rack, 1);
  greedy.boot();
  assert.equal(greedy.select('192.168.127.112')?.type, ACK);
  assert.equal(new Machine(rack, 2).boot(), '192.168.127.111');
  rack.time.pass(2);
  assert.deepEqual([...rack.leaseTable.values()].map(({ mac }) => formatMac(mac)).toSorted(), [
    '52:54:00:00:00:01',
    '52:54:00:00:00:02',
  ]);
});

test('a lease taken in one subnet leaves the one in another subnet alone', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  machine.boot();
  machine.boot({ giaddr: '10.0.7.1' });
  rack.time.pass(2);
  assert.equal(rack.leaseTable.size, 2);
});

interface Refusal {
  readonly title: string;
  readonly say: (machine: Machine, rack: DhcpRack) => unknown;
  readonly expect: 'NAK' | 'silence' | 'ACK';
}

/** RFC 2131 §4.3.2, INIT-REBOOT and after: what we know, what we know better, what we don't know. */
const REMEMBERED: readonly Refusal[] = [
  {
    title: 'a client that restarts and remembers its address keeps it',
    say: (machine) => machine.reboot(machine.boot()),
    expect: 'ACK',
  },
  {
    title: 'a client that remembers another address than the one we know is refused',
    say: (machine) => (machine.boot(), machine.reboot('192.168.127.130')),
    expect: 'NAK',
  },
  {
    title: 'an unknown client that remembers a free address of ours gets no answer',
    say: (machine) => machine.reboot('192.168.127.130'),
    expect: 'silence',
  },
  {
    title:
      'an unknown client that remembers an address outside our ranges gets no answer: another server may have given it',
    say: (machine) => machine.reboot('192.168.127.50'),
    expect: 'silence',
  },
  {
    title: 'an unknown client that renews an address outside our ranges gets no answer',
    say: (machine) => machine.rebind('192.168.127.50'),
    expect: 'silence',
  },
  {
    title: 'an unknown client that remembers an address that another client holds is refused',
    say: (machine, rack) => machine.reboot(new Machine(rack, 2).boot()),
    expect: 'NAK',
  },
  {
    title: 'a client that remembers an address of another network is refused, known or not',
    say: (machine) => machine.reboot('172.16.0.5'),
    expect: 'NAK',
  },
  {
    title: 'a client that comes from another network and rebinds here is refused',
    say: (machine) => machine.rebind('172.16.0.5'),
    expect: 'NAK',
  },
  {
    title: 'a REQUEST that names no address at all gets no answer',
    say: (machine) => machine.rebind('0.0.0.0'),
    expect: 'silence',
  },
  {
    title: 'a client whose lease ran out may still have it back while it is free',
    say: (machine, rack) => {
      const address = machine.boot();
      rack.time.pass(4000);
      return machine.reboot(address);
    },
    expect: 'ACK',
  },
];

for (const { title, say, expect } of REMEMBERED) {
  test(title, () => {
    const rack = new DhcpRack();
    const answer = say(new Machine(rack, 1), rack) as { type: number } | undefined;
    const type = { ACK, NAK, silence: undefined }[expect];
    assert.equal(answer?.type, type);
  });
}

test('RENEWING is answered at the address the client has', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const address = machine.boot();
  rack.time.pass(1800);
  const ack = machine.renew(address);
  assert.equal(ack?.type, ACK);
  assert.deepEqual([ack.via, ack.to, ack.port, ack.ciaddr, ack.yiaddr], ['udp', address, 68, address, address]);
  rack.time.pass(3599);
  assert.equal(rack.leaseTable.size, 1);
});

test('REBINDING is answered at the address the client has', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const address = machine.boot();
  rack.time.pass(3100);
  const ack = machine.rebind(address);
  assert.deepEqual([ack?.type, ack?.via, ack?.to, ack?.port], [ACK, 'udp', address, 68]);
});

test('a client that puts its address in ciaddr and in option 50 renews', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const address = machine.boot();
  const ack = machine.renew(address, { options: [[50, quad(address)]] });
  assert.deepEqual([ack?.type, ack?.to], [ACK, address]);
  assert.equal(rack.told.findLast(isRequest)?.state, 'renewing');
});

function isRequest(told: Told): told is Told & { kind: 'dhcp.request' } {
  return told.kind === 'dhcp.request';
}

test('a ROM that fills in ciaddr while it is still SELECTING is not answered there: it has no address yet', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const offer = machine.discover();
  const ack = machine.select(offer?.yiaddr ?? '', { ciaddr: '203.0.113.7' });
  assert.deepEqual([ack?.type, ack?.via, ack?.to, ack?.ciaddr], [ACK, 'link', offer?.yiaddr, '0.0.0.0']);
});

test('a client behind a relay renews by writing to us directly', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const address = machine.boot({ giaddr: '10.0.7.1' });
  rack.time.pass(1800);
  const ack = machine.renew(address);
  assert.deepEqual([ack?.type, ack?.to, ack?.port], [ACK, address, 68]);
});

test('so it does where every subnet is behind relays', () => {
  const relaysOnly = { fd: 7, transport: 'udp', address: 0 as typeof ETH0.address, port: 67 } as const;
  const rack = new DhcpRack(testPlan({ subnets: [RELAYED] }), [relaysOnly]);
  const machine = new Machine(rack, 1);
  const address = machine.boot({ giaddr: '10.0.7.1' });
  const ack = machine.renew(address);
  assert.deepEqual([ack?.type, ack?.to], [ACK, address]);
  assert.equal(dotted(ack?.options.get(54) ?? []), RACK);
  machine.release(address);
  assert.equal(rack.leaseTable.size, 0);
});

test('a client from behind a relay that was moved to our own wire and rebinds there is refused', () => {
  const rack = new DhcpRack(testPlan({ subnets: [LOCAL, RELAYED] }), [ETH0, LINK]);
  const machine = new Machine(rack, 1);
  const address = machine.boot({ giaddr: '10.0.7.1' });
  assert.equal(machine.rebind(address)?.type, NAK);
});

test('a NAK is for everyone on the link and gives nothing', () => {
  const rack = new DhcpRack();
  const nak = new Machine(rack, 1).reboot('172.16.0.5');
  assert.equal(nak?.type, NAK);
  assert.deepEqual([nak.via, nak.to, nak.port], ['udp', '255.255.255.255', 68]);
  assert.deepEqual([nak.ciaddr, nak.yiaddr, nak.siaddr, nak.file], ['0.0.0.0', '0.0.0.0', '0.0.0.0', '']);
  assert.deepEqual(nak.order, [53, 54, 56]);
});

test('a NAK to a client that renews goes to everyone too: it may no longer be where it says', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  machine.boot();
  const nak = machine.renew('192.168.127.130');
  assert.deepEqual([nak?.type, nak?.to, nak?.ciaddr], [NAK, '255.255.255.255', '0.0.0.0']);
});

test('a NAK through a relay bids it broadcast, and carries option 82 back as the last', () => {
  const rack = new DhcpRack();
  const circuit = [1, 4, 0xca, 0xfe, 0, 7];
  const nak = new Machine(rack, 1).reboot('192.168.127.111', { giaddr: '10.0.7.1', options: [[82, circuit]] });
  assert.equal(nak?.type, NAK);
  assert.deepEqual([nak.via, nak.to, nak.port, nak.giaddr], ['udp', '10.0.7.1', 67, '10.0.7.1']);
  assert.equal(nak.flags & 0x8000, 0x8000);
  assert.deepEqual(nak.order, [53, 54, 56, 82]);
  assert.deepEqual(nak.options.get(82), circuit);
});
