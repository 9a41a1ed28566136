import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIp4 } from '../../../../src/addr/ip4.ts';
import { OptionCode } from '../../../../src/wire/dhcp/option-code.ts';
import { decodeRelayAgent } from '../../../../src/wire/dhcp/options/relay-agent.ts';
import { decodeDhcp } from '../../../../src/wire/dhcp/packet.ts';
import { parseHex, readHexFixture } from '../../../fixtures/hex.ts';

test('a switch tells port and switch', () => {
  const value = decodeDhcp(readHexFixture('dhcp/relayed-discover')).options.get(OptionCode.relayAgent);
  assert.ok(value);
  assert.deepEqual(decodeRelayAgent(value), {
    raw: value,
    circuitId: value.subarray(2, 8),
    remoteId: value.subarray(10, 18),
    sourcePort: false,
  });
});

test('a relay tells the subnet, the server address to show, and that it hears on its own port', () => {
  const packet = decodeDhcp(readHexFixture('dhcp/relayed-link-selection-discover'));
  const info = decodeRelayAgent(packet.options.get(OptionCode.relayAgent));
  assert.ok(info?.linkSelection !== undefined && info.serverIdOverride !== undefined);
  assert.equal(formatIp4(info.linkSelection), '10.0.7.0');
  assert.equal(formatIp4(info.serverIdOverride), '10.0.7.1');
  assert.equal(info.sourcePort, true);
});

const PARTS: readonly [string, string, readonly string[]][] = [
  ['an unknown sub-option is left alone', '97 01 61 01 01 62', ['circuitId']],
  ['zero is a sub-option, not Pad', '00 01 01 02 01 61', ['remoteId']],
  ['255 is a sub-option, not End', 'ff 00 02 01 61', ['remoteId']],
  ['a link selection of three bytes counts as absent', '05 03 0a 00 07 01 01 61', ['circuitId']],
  ['a server id override of five bytes counts as absent', '0b 05 0a 00 07 01 01', []],
  ['an empty circuit id is one', '01 00', ['circuitId']],
  ['an empty value has no parts', '', []],
];

for (const [what, value, keys] of PARTS) {
  test(what, () => {
    const { raw, sourcePort, ...parts } = decodeRelayAgent(parseHex(value)) ?? assert.fail('not read');
    assert.deepEqual([raw, sourcePort, Object.keys(parts)], [parseHex(value), false, keys]);
  });
}

test('a source port sub-option with a body is not the one of RFC 8357', () => {
  assert.equal(decodeRelayAgent(parseHex('13 02 00 43'))?.sourcePort, false);
});

test('of two circuit ids the first counts', () => {
  assert.deepEqual(decodeRelayAgent(parseHex('01 01 61 01 01 62'))?.circuitId, Uint8Array.of(0x61));
});

for (const value of ['01', '01 02 61', '01 01 61 02']) {
  test(`"${value}" runs past its end and is undefined`, () =>
    assert.equal(decodeRelayAgent(parseHex(value)), undefined));
}

test('an absent option is undefined', () => assert.equal(decodeRelayAgent(undefined), undefined));
