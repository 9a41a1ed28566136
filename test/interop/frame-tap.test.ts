import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { formatMac } from '../../src/addr/mac.ts';
import type { FrameLink } from '../../src/system/datagram.ts';
import { FrameTaps, openFrameTap } from '../../src/system/frame-tap.ts';
import { loadLibc } from '../../src/system/libc.ts';
import { ARP_SNAP, arpFilter, DHCP_SNAP, dhcpFilter } from '../../src/system/packet-filter.ts';
import { parseHex } from '../fixtures/hex.ts';
import { enterOwnNetwork, ip, noOwnNetwork } from './own-network.ts';

const ENDS = 'ffffffffffff 020000000077';
const ARP = '0806 0001 0800 06 04 0001 020000000077 c0a87f64 000000000000 c0a87f65';
const DHCP = `0800 4500 002c 0000 4000 4011 0000 0a000009 ffffffff 0043 0044 0018 0000 ${'02'.repeat(16)}`;
const OTHER = DHCP.replace('0043 0044', '0043 0045');
/** Frames of these tests are told by their sender from what the kernel itself says. */
const OURS = Buffer.from(parseHex('020000000077')).toString('hex');

function heard(by: FrameLink): string[] {
  const frames: string[] = [];
  by.receive((frame, tag) => {
    const hex = Buffer.from(frame).toString('hex');
    if (hex.slice(12, 24) === OURS) frames.push(`${tag & 0xfff} ${hex}`);
  });
  return frames;
}

/** The same for so many frames, which a busy kernel may still be carrying. */
function hear(by: FrameLink, count: number): string[] {
  const frames: string[] = [];
  for (let tries = 0; frames.length < count && tries < 200; tries++) {
    frames.push(...heard(by));
    if (frames.length < count) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
  }
  return frames;
}

function say(by: FrameLink, ...frames: string[]): void {
  for (const frame of frames) by.send(parseHex(`${ENDS} ${frame}`));
  by.flush();
}

function plain(frame: string, vlan = 0): string {
  return `${vlan} ${Buffer.from(parseHex(`${ENDS} ${frame}`)).toString('hex')}`;
}

describe('a tap of frames', { skip: noOwnNetwork() }, () => {
  const libc = loadLibc();
  const taps = new FrameTaps(libc);
  let left: FrameLink;
  let arp: FrameLink;
  let dhcp: FrameLink;

  before(() => {
    enterOwnNetwork();
    left = open('left', 'arp');
    arp = open('right', 'arp');
    dhcp = open('right', 'dhcp');
    // A wire that was laid this moment may not carry yet
    for (let tries = 0; tries < 5 && hear(arp, 1).length === 0; tries++) say(left, ARP);
    while (heard(arp).length > 0);
  });

  function open(device: string, what: 'arp' | 'dhcp'): FrameLink {
    const ifindex = libc.if_nametoindex(device);
    const [filter, snap] = what === 'arp' ? [arpFilter(), ARP_SNAP] : [dhcpFilter(), DHCP_SNAP];
    return taps.adopt(openFrameTap(libc, ifindex, filter), ifindex, snap);
  }

  test('hears what its filter passes, and not itself', () => {
    say(left, ARP, OTHER, DHCP);
    assert.deepEqual(hear(arp, 1), [plain(ARP)]);
    assert.deepEqual(hear(dhcp, 1), [plain(DHCP)]);
    assert.deepEqual([heard(left), heard(arp), heard(dhcp)], [[], [], []]);
  });

  test('tells the VLAN of a frame, which no interface here need have', () => {
    say(left, `8100 0064 ${ARP}`, `8100 0065 ${DHCP}`);
    assert.deepEqual(hear(arp, 1), [plain(ARP, 100)]);
    assert.deepEqual(hear(dhcp, 1), [plain(DHCP, 101)]);
  });

  test('leaves the inner one of two tags in the frame', () => {
    say(left, `88a8 0007 8100 0064 ${ARP}`);
    assert.deepEqual(hear(arp, 1), [plain(`8100 0064 ${ARP}`, 7)]);
  });

  test('knows the hardware address of its interface', () => {
    assert.equal(left.mac && formatMac(left.mac), '02:00:00:00:00:0a');
    assert.equal(arp.mac && formatMac(arp.mac), '02:00:00:00:00:0b');
  });

  test('loses what it has no room for, and tells how much, once', () => {
    assert.equal(arp.takeDropped(), 0);
    for (let i = 0; i < 20_000; i++) left.send(parseHex(`${ENDS} ${ARP}`));
    left.flush();
    assert.ok(hear(arp, 1).length > 0);
    while (arp.receive(() => undefined) > 0);
    const dropped = arp.takeDropped();
    assert.ok(dropped > 1000 && dropped < 20_000, String(dropped));
    assert.equal(arp.takeDropped(), 0);
  });

  test('needs an interface, and sends no frame longer than a DISCOVER', () => {
    assert.throws(() => openFrameTap(libc, 0, arpFilter()), { name: 'SystemCallError', code: 'ENODEV' });
    assert.throws(() => openFrameTap(libc, 4242, arpFilter()), { name: 'SystemCallError', code: 'ENODEV' });
    assert.throws(() => left.send(new Uint8Array(641)), RangeError);
  });

  test('is deaf while its interface is down, and not when it is up again', () => {
    ip('link set right down');
    assert.deepEqual(heard(arp), []);
    ip('link set right up');
    for (let tries = 0; tries < 5; tries++) {
      say(left, ARP);
      if (hear(arp, 1).length > 0) return;
    }
    assert.fail('heard nothing');
  });
});
