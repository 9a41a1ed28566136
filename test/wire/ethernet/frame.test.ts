import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMac, type Mac } from '../../../src/addr/mac.ts';
import { decodeEthernet, encodeEthernet, ETHERTYPE_ARP } from '../../../src/wire/ethernet/frame.ts';
import { WireError } from '../../../src/wire/wire-error.ts';
import { parseHex } from '../../fixtures/hex.ts';

const ENDS = 'ffffffffffff 52540000000a';

/** Destination, source, VLANs, type and payload in one line. */
function shown(hex: string, taken?: number): string {
  const { destination, source, vlan, innerVlan, type, payload } = decodeEthernet(parseHex(hex), taken);
  const hexType = type.toString(16).padStart(4, '0');
  return `${formatMac(destination)} ${formatMac(source)} ${vlan}.${innerVlan} ${hexType} ${Buffer.from(payload).toString('hex')}`;
}

const BOTH = 'ff:ff:ff:ff:ff:ff 52:54:00:00:00:0a';
const READ: readonly (readonly [string, string, number | undefined, string])[] = [
  ['an untagged frame', `${ENDS} 0806 0102`, undefined, `${BOTH} 0.0 0806 0102`],
  ['a frame without payload', `${ENDS} 0800`, undefined, `${BOTH} 0.0 0800 `],
  ['a tag in the frame', `${ENDS} 8100 6064 0806 01`, undefined, `${BOTH} 100.0 0806 01`],
  ['a tag that the kernel took off', `${ENDS} 0806 01`, 0x6064, `${BOTH} 100.0 0806 01`],
  ['a tag that says a priority only', `${ENDS} 8100 6000 0806 01`, undefined, `${BOTH} 0.0 0806 01`],
  ['two tags', `${ENDS} 88a8 0007 8100 0064 0806 01`, undefined, `${BOTH} 7.100 0806 01`],
  ['two tags, the outer one taken off', `${ENDS} 8100 0064 0806 01`, 7, `${BOTH} 7.100 0806 01`],
  ['a VLAN inside a priority', `${ENDS} 8100 e000 8100 0064 0806 01`, undefined, `${BOTH} 100.0 0806 01`],
  ['three tags', `${ENDS} 88a8 0007 8100 0064 8100 0001 0806`, undefined, `${BOTH} 7.100 8100 00010806`],
];

for (const [what, hex, taken, expected] of READ) {
  test(`${what} is read`, () => {
    assert.equal(shown(hex, taken), expected);
  });
}

test('a frame cut short in its header is not read', () => {
  for (const hex of ['', ENDS, `${ENDS} 08`, `${ENDS} 8100 0064`, `${ENDS} 88a8 0001 8100 0001 08`]) {
    assert.throws(() => decodeEthernet(parseHex(hex)), WireError, hex);
  }
});

test('a header is written as it is read', () => {
  const into = new Uint8Array(14);
  const header = { destination: 0xffffffffffff as Mac, source: 0x52540000000a as Mac, type: ETHERTYPE_ARP };
  assert.equal(encodeEthernet(into, header), 14);
  assert.deepEqual(into, parseHex(`${ENDS} 0806`));
  assert.throws(() => encodeEthernet(new Uint8Array(13), header), RangeError);
});
