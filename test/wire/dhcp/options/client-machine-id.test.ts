import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeDhcp } from '../../../../src/wire/dhcp/packet.ts';
import { OptionCode } from '../../../../src/wire/dhcp/option-code.ts';
import { decodeClientMachineId, encodeClientMachineId } from '../../../../src/wire/dhcp/options/client-machine-id.ts';
import { parseHex, readHexFixture } from '../../../fixtures/hex.ts';

/** What QEMU was given as -uuid when these were captured. */
const UUID = '00112233-4455-6677-8899-aabbccddeeff';

for (const fixture of ['dhcp/ipxe-rom-discover', 'dhcp/ovmf-pxe-discover']) {
  test(`${fixture} carries the UUID its machine was given`, () => {
    const value = decodeDhcp(readHexFixture(fixture)).options.get(OptionCode.clientMachineId);
    assert.equal(decodeClientMachineId(value), UUID);
    assert.deepEqual(encodeClientMachineId(UUID), Uint8Array.from(value ?? []));
  });
}

const REFUSED: readonly [string, string][] = [
  ['nothing', ''],
  ['the type alone', '00'],
  ['a UUID without type', '11*16'],
  ['a UUID and a byte', '00 11*17'],
  ['the five bytes of one NIC', '00 01 02 03 04'],
  ['another type', '01 11*16'],
];

for (const [what, value] of REFUSED) {
  test(`${what} is no machine id`, () => assert.equal(decodeClientMachineId(parseHex(value)), undefined));
}

test('an absent option is undefined', () => assert.equal(decodeClientMachineId(undefined), undefined));

test('text that is not a lower-case UUID is not written', () => {
  for (const text of ['', UUID.toUpperCase(), `${UUID}0`, UUID.replaceAll('-', '')]) {
    assert.equal(encodeClientMachineId(text), undefined);
  }
});
