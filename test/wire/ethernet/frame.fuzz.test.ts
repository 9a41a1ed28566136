import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeArp } from '../../../src/wire/arp/packet.ts';
import { decodeDhcp } from '../../../src/wire/dhcp/packet.ts';
import { decodeEthernet, ETHERTYPE_ARP, ETHERTYPE_IPV4 } from '../../../src/wire/ethernet/frame.ts';
import { readUdpDatagram } from '../../../src/wire/ip/udp-datagram.ts';
import { parseHex } from '../../fixtures/hex.ts';
import { fuzz } from '../fuzz.ts';

const ENDS = 'ffffffffffff 52540000000a';
const ARP = '0001 0800 06 04 0002 02000000000b c0a87f64 52540000000a 00000000';
const UDP = '4500 0124 0000 0000 4011 0000 0a000009 ffffffff  0043 0044 0110 0000';
const BOOTREPLY = `02 01 06 00 00000001 0000 8000 ${'00000000'.repeat(4)} 52540000000a ${'00'.repeat(202)} 63825363 350102 3604 0a000009 ff`;

const seeds = [
  parseHex(`${ENDS} 0806 ${ARP} ${'00'.repeat(18)}`),
  parseHex(`${ENDS} 88a8 0007 8100 0064 0806 ${ARP}`),
  parseHex(`${ENDS} 0800 ${UDP} ${BOOTREPLY}`),
  parseHex(`${ENDS} 8100 0064 0800 ${UDP} ${BOOTREPLY}`),
];

test('no frame makes a reader of the wire throw anything but WireError', { timeout: 300_000 }, () => {
  const seen = { arp: 0, dhcp: 0 };
  fuzz({ seeds, seed: 8021, run: (bytes) => readThrough(bytes, seen) });
  assert.ok(seen.arp > 1000 && seen.dhcp > 1000, JSON.stringify(seen));
});

function readThrough(bytes: Uint8Array, seen: { arp: number; dhcp: number }): void {
  const { type, payload, vlan, innerVlan } = decodeEthernet(bytes, (bytes[0] ?? 0) << 4);
  if (vlan > 0xfff || innerVlan > 0xfff || (vlan === 0 && innerVlan !== 0)) throw new Error('no such VLAN');
  if (type === ETHERTYPE_ARP) {
    decodeArp(payload);
    seen.arp++;
  }
  const datagram = type === ETHERTYPE_IPV4 ? readUdpDatagram(payload) : undefined;
  if (datagram) {
    decodeDhcp(datagram.payload);
    seen.dhcp++;
  }
}
