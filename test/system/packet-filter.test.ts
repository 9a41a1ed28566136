import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ARP_SNAP,
  arpAnswerFilter,
  arpFilter,
  DHCP_SNAP,
  dhcpFilter,
  type PacketFilter,
} from '../../src/system/packet-filter.ts';
import { parseHex } from '../fixtures/hex.ts';

/** What the kernel does with a filter and a frame (bpf(4)): how many bytes pass. A load past the end refuses the frame. */
function run(filter: PacketFilter, frame: Uint8Array, packetType = 0): number {
  const view = new DataView(filter.buffer, filter.byteOffset, filter.length);
  const data = new DataView(frame.buffer, frame.byteOffset, frame.length);
  let [accumulator, index] = [0, 0];
  for (let pc = 0; pc < filter.length / 8; pc++) {
    const [code, yes, no] = [view.getUint16(pc * 8, true), view.getUint8(pc * 8 + 2), view.getUint8(pc * 8 + 3)];
    const k = view.getUint32(pc * 8 + 4, true);
    if (k === 0xfffff004) {
      accumulator = packetType;
      continue;
    }
    const needed = { 0x20: k + 4, 0x28: k + 2, 0x30: k + 1, 0x48: index + k + 2, 0xb1: k + 1 }[code] ?? 0;
    if (needed > frame.length) return 0;
    if (code === 0x28) accumulator = data.getUint16(k);
    else if (code === 0x20) accumulator = data.getUint32(k);
    else if (code === 0x07) index = accumulator;
    else if (code === 0x1d) pc += accumulator === index ? yes : no;
    else if (code === 0x30) accumulator = data.getUint8(k);
    else if (code === 0x48) accumulator = data.getUint16(index + k);
    else if (code === 0xb1) index = (data.getUint8(k) & 15) * 4;
    else if (code === 0x15) pc += accumulator === k ? yes : no;
    else if (code === 0x45) pc += (accumulator & k) === 0 ? no : yes;
    else if (code === 0x06) return k;
    else throw new Error(`no such instruction: ${code}`);
  }
  throw new Error('ran past its end');
}

const ENDS = 'ffffffffffff 52540000000a';
const ARP = '0806 0001 0800 06 04 0001 52540000000a c0a87f64 000000000000 c0a87f65';

function udp(port: string, more = '4000', header = '45', options = ''): string {
  return `0800 ${header}00 0120 0000 ${more} 4011 0000 0a000009 ffffffff ${options} 0043 ${port} 010c 0000 0201`;
}

const FRAMES: readonly (readonly [string, string, 'arp' | 'dhcp' | 'nothing'])[] = [
  ['ARP', ARP, 'arp'],
  ['ARP in a VLAN', `8100 0064 ${ARP}`, 'arp'],
  ['ARP in a provider’s VLAN', `88a8 0064 ${ARP}`, 'arp'],
  ['what is said to a DHCP client', udp('0044'), 'dhcp'],
  ['what is said to a DHCP server', udp('0043'), 'dhcp'],
  ['the same in a VLAN', `8100 0064 ${udp('0044')}`, 'dhcp'],
  ['the same behind options of IP', udp('0044', '4000', '46', '01010101'), 'dhcp'],
  ['the same behind options in a VLAN', `8100 0064 ${udp('0044', '4000', '46', '01010101')}`, 'dhcp'],
  ['a first fragment', udp('0044', '2000'), 'dhcp'],
  ['a later fragment', udp('0044', '0010'), 'nothing'],
  ['TFTP', udp('0045'), 'nothing'],
  ['TCP to such a port', udp('0044').replace('4011', '4006'), 'nothing'],
  ['IPv6', '86dd 6000 0000 0008 1140', 'nothing'],
  ['IPv6 in a VLAN', '8100 0064 86dd 6000 0000 0008 1140', 'nothing'],
  ['three tags', `8100 0064 8100 0065 ${ARP}`, 'nothing'],
  ['a datagram cut short', '0800 4500 0120 0000 4000 4011 0000 0a000009 ffffffff 0043', 'nothing'],
  ['nothing behind the header', '', 'nothing'],
];

for (const [what, rest, kind] of FRAMES) {
  test(`${what}: ${kind} is to hear it`, () => {
    const frame = parseHex(`${ENDS} ${rest}`);
    assert.equal(run(arpFilter(), frame), kind === 'arp' ? ARP_SNAP : 0);
    assert.equal(run(dhcpFilter(), frame), kind === 'dhcp' ? DHCP_SNAP : 0);
  });
}

const ANSWERS: readonly (readonly [string, string, number, boolean])[] = [
  ['an answer to us', '52540000000a c0a87f64 52540000000b c0a87f65', 0, true],
  ['an announcement', '52540000000a c0a87f64 000000000000 c0a87f64', 1, true],
  ['what somebody asks', '52540000000a c0a87f64 000000000000 c0a87f65', 1, false],
  ['a probe', '52540000000a 00000000 000000000000 c0a87f65', 1, false],
  ['what is cut short', '52540000000a c0a8', 1, false],
];

for (const [what, addresses, packetType, isHeard] of ANSWERS) {
  test(`${what} is ${isHeard ? '' : 'not '}heard by who waits for answers`, () => {
    const packet = parseHex(`0001 0800 06 04 0002 ${addresses}`);
    assert.equal(run(arpAnswerFilter(), packet, packetType) > 0, isHeard);
  });
}
