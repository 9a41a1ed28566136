import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { formatMac } from '../../src/addr/mac.ts';
import { ArpSocket, openArpSocket } from '../../src/system/arp-socket.ts';
import { BATCH } from '../../src/system/datagram.ts';
import { loadLibc } from '../../src/system/libc.ts';
import { enterOwnNetwork, ip, noOwnNetwork } from './own-network.ts';

/** Whatever the two ends say to each other: the socket does not read it. */
const PACKET = Uint8Array.from({ length: 28 }, (_, at) => at + 1);
/** An announcement: its sender is its target. */
PACKET.copyWithin(24, 14, 18);
/** A question to everyone. */
const QUESTION = Uint8Array.from(PACKET, (byte, at) => (at === 27 ? byte + 1 : byte));

function heard(by: ArpSocket): string[] {
  const packets: string[] = [];
  by.receive((packet) => packets.push(Buffer.from(packet.subarray(0, 28)).toString('hex')));
  return packets;
}

/** The same for so many packets, which a busy kernel may still be carrying. */
function hear(by: ArpSocket, count: number): string[] {
  const packets: string[] = [];
  for (let tries = 0; packets.length < count && tries < 200; tries++) {
    packets.push(...heard(by));
    if (packets.length < count) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
  }
  return packets;
}

function sayUntilHeard(from: ArpSocket, by: ArpSocket): void {
  for (let tries = 0; tries < 5; tries++) {
    from.broadcast(PACKET);
    from.flush();
    if (hear(by, 1).length > 0) return;
  }
}

describe('an ARP socket', { skip: noOwnNetwork() }, () => {
  const libc = loadLibc();
  let left: ArpSocket;
  let right: ArpSocket;

  before(() => {
    enterOwnNetwork();
    left = open('left');
    right = open('right');
    // A wire that was laid this moment may not carry yet
    sayUntilHeard(left, right);
    while (heard(right).length > 0);
  });

  function open(device: string): ArpSocket {
    const ifindex = libc.if_nametoindex(device);
    return new ArpSocket(libc, openArpSocket(libc, ifindex), ifindex);
  }

  test('says something to everyone on its link, and does not hear itself', () => {
    left.broadcast(PACKET);
    assert.equal(left.flush(), 0);
    assert.deepEqual(hear(right, 1), [Buffer.from(PACKET).toString('hex')]);
    assert.deepEqual(heard(left), []);
  });

  test('does not hear what others ask each other', () => {
    left.broadcast(QUESTION);
    left.broadcast(PACKET);
    left.flush();
    assert.deepEqual(hear(right, 1), [Buffer.from(PACKET).toString('hex')]);
    assert.deepEqual(heard(right), []);
  });

  test('hears the link of its own interface only', () => {
    ip('link add other type veth peer name rehto');
    ip('link set other up');
    ip('link set rehto up');
    const other = open('other');
    other.broadcast(PACKET);
    other.flush();
    assert.deepEqual([heard(left), heard(right)], [[], []]);
    ip('link delete other');
    assert.equal(other.mac, undefined);
    assert.deepEqual(heard(other), []);
    other.broadcast(PACKET);
    assert.equal(other.flush(), 1);
  });

  test('knows the hardware address of its interface, a changed one too', () => {
    assert.equal(left.mac && formatMac(left.mac), '02:00:00:00:00:0a');
    ip('link set left address 02:00:00:00:00:1a');
    assert.equal(left.mac && formatMac(left.mac), '02:00:00:00:00:1a');
  });

  test('sends more than one batch, and hears it in as many', () => {
    for (let i = 0; i < BATCH + 10; i++) left.broadcast(PACKET);
    left.flush();
    assert.equal(hear(right, BATCH + 10).length, BATCH + 10);
    assert.deepEqual(heard(right), []);
  });

  test('is deaf and dumb while its interface is down, and neither when it is up again', () => {
    ip('link set right down');
    assert.deepEqual(heard(right), []);
    right.broadcast(PACKET);
    assert.equal(right.flush(), 1);
    ip('link set right up');
    sayUntilHeard(left, right);
    right.broadcast(PACKET);
    assert.equal(right.flush(), 0);
    assert.equal(hear(left, 1).length, 1);
  });

  test('needs an interface', () => {
    assert.throws(() => openArpSocket(libc, 0), { name: 'SystemCallError', code: 'ENODEV' });
    assert.throws(() => openArpSocket(libc, 4242), { name: 'SystemCallError', code: 'ENODEV' });
    assert.throws(() => left.broadcast(new Uint8Array(65)), RangeError);
  });
});
