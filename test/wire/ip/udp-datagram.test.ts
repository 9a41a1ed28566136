import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIp4 } from '../../../src/addr/ip4.ts';
import { readUdpDatagram } from '../../../src/wire/ip/udp-datagram.ts';
import { parseHex } from '../../fixtures/hex.ts';

const ENDS = '0a000009 ffffffff';
const WHOLE = `4500 001e 0000 4000 4011 0000 ${ENDS}  0043 0044 000a 0000 abcd`;

/** "10.0.0.9:67 255.255.255.255:68 abcd" */
function shown(hex: string): string | undefined {
  const found = readUdpDatagram(parseHex(hex));
  if (!found) return undefined;
  const { source, sourcePort, destination, port, payload } = found;
  const data = Buffer.from(payload).toString('hex');
  return `${formatIp4(source)}:${sourcePort} ${formatIp4(destination)}:${port} ${data}`;
}

test('a datagram is read, its padding and the options of IP are passed over', () => {
  const expected = '10.0.0.9:67 255.255.255.255:68 abcd';
  assert.equal(shown(WHOLE), expected);
  assert.equal(shown(`${WHOLE} 0000000000000000`), expected);
  assert.equal(shown(`4600 0022 0000 4000 4011 0000 ${ENDS} 01010101  0043 0044 000a 0000 abcd`), expected);
});

const OTHERS: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['TCP', WHOLE.replace('4011', '4006')],
  ['IPv6', WHOLE.replace('4500', '6500')],
  ['a header that claims to be shorter than any', WHOLE.replace('4500', '4400')],
  ['a first fragment', WHOLE.replace('4000', '2000')],
  ['a later fragment', WHOLE.replace('4000', '0001')],
  ['what is cut short', WHOLE.slice(0, 64)],
];

for (const [what, hex] of OTHERS) {
  test(`${what} is no datagram`, () => {
    assert.equal(shown(hex), undefined);
  });
}

test('a length that lies gives what is there, and no more', () => {
  assert.equal(shown(WHOLE.replace('000a', 'ffff')), '10.0.0.9:67 255.255.255.255:68 abcd');
  assert.equal(shown(WHOLE.replace('000a', '0000')), '10.0.0.9:67 255.255.255.255:68 ');
});
