import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBoolean } from '../../../src/wire/dhcp/options/boolean.ts';
import { decodeClasslessRoutes, encodeClasslessRoutes } from '../../../src/wire/dhcp/options/classless-routes.ts';
import { decodeClientMachineId } from '../../../src/wire/dhcp/options/client-machine-id.ts';
import { decodeDomainList, encodeDomainList } from '../../../src/wire/dhcp/options/domain-list.ts';
import { decodeEncapsulated } from '../../../src/wire/dhcp/options/encapsulated.ts';
import { decodeU16, decodeU16List, decodeU8 } from '../../../src/wire/dhcp/options/integer.ts';
import { decodeIp4, decodeIp4List } from '../../../src/wire/dhcp/options/ip4.ts';
import { decodeParameterList } from '../../../src/wire/dhcp/options/parameter-list.ts';
import { decodeRelayAgent } from '../../../src/wire/dhcp/options/relay-agent.ts';
import { decodeSeconds } from '../../../src/wire/dhcp/options/seconds.ts';
import { decodeText } from '../../../src/wire/dhcp/options/text.ts';
import { decodeUserClasses } from '../../../src/wire/dhcp/options/user-class.ts';
import { OptionCode } from '../../../src/wire/dhcp/option-code.ts';
import { decodeDhcp, encodeDhcp, type DhcpPacket } from '../../../src/wire/dhcp/packet.ts';
import { WireError } from '../../../src/wire/wire-error.ts';
import { parseHex, readHexFixtures } from '../../fixtures/hex.ts';
import { fuzz } from '../fuzz.ts';

const reply = new Uint8Array(8192);
const seeds = [...readHexFixtures('dhcp').values()];

/** Every reader, with the option it is for. */
const READERS: readonly [number, (value: Uint8Array | undefined) => unknown][] = [
  [OptionCode.messageType, decodeU8],
  [OptionCode.maxMessageSize, decodeU16],
  [OptionCode.clientArch, decodeU16List],
  [OptionCode.requestedAddress, decodeIp4],
  [OptionCode.dns, decodeIp4List],
  [OptionCode.leaseTime, decodeSeconds],
  [OptionCode.hostName, decodeText],
  [OptionCode.vendorClass, decodeText],
  [OptionCode.parameterList, decodeParameterList],
  [OptionCode.userClass, decodeUserClasses],
  [OptionCode.clientMachineId, decodeClientMachineId],
  [OptionCode.vendorSpecific, decodeEncapsulated],
  [OptionCode.ipxe, decodeEncapsulated],
  [OptionCode.relayAgent, decodeRelayAgent],
  [OptionCode.ipForwarding, decodeBoolean],
  [OptionCode.domainSearch, decodeDomainList],
  [OptionCode.classlessRoutes, decodeClasslessRoutes],
];

test('no packet makes the codec throw anything but WireError, or hold on to memory', () => {
  const { accepted, refused } = fuzz({ seeds, run: readAndWriteBack });
  assert.ok(accepted > refused / 4 && refused > accepted / 20, `${accepted} accepted, ${refused} refused`);
});

/** The readers written for one option must stand the value of any other. */
test('every option reader is total over any bytes', () => {
  const rounds = Math.ceil(Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 1_000_000) / 10);
  const values = seeds.flatMap((bytes) => [...decodeDhcp(bytes).options].map(({ value }) => value));
  const { refused } = fuzz({ seeds: values, rounds, seed: 2, run: readAsEachKind });
  assert.equal(refused, 0);
});

/** What a reader made of any bytes, its writer writes so that it reads the same. */
test('routes and domain lists come back as they were read', () => {
  const values = [parseHex('08 0a c0a87f09 00 c0a87ffe'), parseHex('03 65 6e 67 01 61 00 01 62 c0 04')];
  let read = 0;
  const run = (bytes: Uint8Array): void => {
    const routes = decodeClasslessRoutes(bytes);
    if (routes) assert.deepEqual(decodeClasslessRoutes(encodeClasslessRoutes(routes)), routes);
    const names = decodeDomainList(bytes);
    if (names) assert.deepEqual(decodeDomainList(encodeDomainList(names))?.map(lower), names.map(lower));
    if (routes || names) read++;
  };
  fuzz({ seeds: values, rounds: 20_000, seed: 3, run });
  assert.ok(read > 500, `${read} could be read`);
});

function lower(name: string): string {
  return name.toLowerCase();
}

/** All that a service would do with a packet; what was written must read the same again. */
function readAndWriteBack(bytes: Uint8Array): void {
  const packet = decodeDhcp(bytes);
  for (const [code, read] of READERS) read(packet.options.get(code));
  if (packet.sname.length > 63 || packet.file.length > 127) return refuses(packet);
  const again = decodeDhcp(reply.subarray(0, encodeDhcp(packet, reply)));
  if (again.xid !== packet.xid || again.sname !== packet.sname || again.file !== packet.file) {
    throw new Error('the header came back different');
  }
  for (const { code, value } of packet.options) {
    if (code !== OptionCode.overload && !same(value, again.options.get(code)))
      throw new Error(`option ${code} came back different`);
  }
}

function same(one: Uint8Array, other: Uint8Array | undefined): boolean {
  return other !== undefined && Buffer.compare(one, other) === 0;
}

function refuses(packet: DhcpPacket): void {
  assert.throws(() => encodeDhcp(packet, reply), WireError);
}

function readAsEachKind(bytes: Uint8Array): void {
  for (const [, read] of READERS) read(bytes);
}
