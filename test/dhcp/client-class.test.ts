import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMac, type Mac } from '../../src/addr/mac.ts';
import { isOfClass } from '../../src/dhcp/client-class.ts';
import type { ClassMatch } from '../../src/plan/plan.ts';
import { decodeDhcp } from '../../src/wire/dhcp/packet.ts';
import { letters, writePacket } from './naive-packet.ts';

type Options = readonly (readonly [number, readonly number[]])[];

const MAC = parseMac('52:54:00:0a:0b:0c') ?? (0 as Mac);
const IPXE = letters('iPXE');

const CASES: readonly (readonly [title: string, match: ClassMatch, options: Options, isOf: boolean])[] = [
  ['a vendor class by its beginning', { vendorClasses: ['PXEClient'] }, [[60, letters('PXEClient:Arch:00007')]], true],
  ['no vendor class by its middle', { vendorClasses: ['Arch'] }, [[60, letters('PXEClient:Arch:00007')]], false],
  ['one of two vendor classes', { vendorClasses: ['x', 'PXE'] }, [[60, letters('PXEClient')]], true],
  ['a vendor class with bytes behind it', { vendorClasses: ['AXIS'] }, [[60, [...letters('AXIS'), 0, 200]]], true],
  ['no vendor class where none is said', { vendorClasses: ['PXEClient'] }, [], false],
  ['a bare user class', { userClasses: ['iPXE'] }, [[77, IPXE]], true],
  ['a user class as RFC 3004 wants it', { userClasses: ['iPXE'] }, [[77, [4, ...IPXE]]], true],
  ['the second of two user classes', { userClasses: ['iPXE'] }, [[77, [1, 97, 4, ...IPXE]]], true],
  ['no user class by its beginning', { userClasses: ['iPX'] }, [[77, IPXE]], false],
  ['an architecture', { archs: [7, 9] }, [[93, [0, 9]]], true],
  ['the second architecture that is said', { archs: [7] }, [[93, [0, 0, 0, 7]]], true],
  ['no architecture of one byte', { archs: [7] }, [[93, [7]]], false],
  ['a MAC address by its beginning', { macPrefixes: ['525400'] }, [], true],
  ['a whole MAC address', { macPrefixes: ['5254000a0b0c'] }, [], true],
  ['no MAC address of another maker', { macPrefixes: ['525401', '0a0b0c'] }, [], false],
  ['a circuit id', { circuitIds: ['0004000a'] }, [[82, [2, 1, 9, 1, 4, 0, 4, 0, 10]]], true],
  ['no circuit id by its beginning', { circuitIds: ['0004'] }, [[82, [1, 4, 0, 4, 0, 10]]], false],
  ['no circuit id of a broken option 82', { circuitIds: ['0004'] }, [[82, [1, 2, 0, 4, 9]]], false],
  ['a remote id', { remoteIds: ['09'] }, [[82, [2, 1, 9, 1, 1, 7]]], true],
  ['no remote id in the place of a circuit id', { remoteIds: ['07'] }, [[82, [2, 1, 9, 1, 1, 7]]], false],
  [
    'not who has one of circuit and remote id',
    { circuitIds: ['07'], remoteIds: ['08'] },
    [[82, [2, 1, 9, 1, 1, 7]]],
    false,
  ],
  ['who matches every key', { archs: [7], macPrefixes: ['52'] }, [[93, [0, 7]]], true],
  ['not who matches one of two keys', { archs: [7], macPrefixes: ['53'] }, [[93, [0, 7]]], false],
];

for (const [title, match, options, isOf] of CASES) {
  test(`a class has ${title}`, () => {
    const packet = decodeDhcp(writePacket({ type: 1, options }));
    assert.equal(isOfClass(match, { mac: MAC }, packet), isOf);
  });
}
