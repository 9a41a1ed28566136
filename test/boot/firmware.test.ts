import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { archOf, firmwareOf, isNetbootClient, type BootClient, type Firmware } from '../../src/boot/firmware.ts';
import { mac } from './boot-plan-fixture.ts';

function client(facts: Partial<BootClient>): BootClient {
  return { mac: mac('52:54:00:12:34:56'), userClasses: [], ...facts };
}

const PXE = 'PXEClient:Arch:00000:UNDI:002001';
/** What iPXE puts in option 175 beside the features: 0xb0 is no feature but "no proxy DHCP". */
const FULL = { features: [0xb0, 16, 18, 19, 21, 23, 24, 33, 34, 39] };
const STRIPPED = { features: [0xb0, 16, 23, 39] };

const CASES: readonly { title: string; facts: Partial<BootClient>; is: Firmware }[] = [
  { title: 'a PC BIOS', facts: { arch: 0, vendorClass: PXE }, is: 'bios' },
  {
    title: 'x64 UEFI that calls itself 7',
    facts: { arch: 7, vendorClass: 'PXEClient:Arch:00007:UNDI:003016' },
    is: 'uefi',
  },
  {
    title: 'x64 UEFI that calls itself 9',
    facts: { arch: 9, vendorClass: 'PXEClient:Arch:00009:UNDI:003016' },
    is: 'uefi',
  },
  { title: 'x64 UEFI HTTP boot', facts: { arch: 16, vendorClass: 'HTTPClient:Arch:00016:UNDI:003001' }, is: 'http' },
  {
    title: 'HTTP boot of a firmware that leaves its arch at 7',
    facts: { arch: 7, vendorClass: 'HTTPClient' },
    is: 'http',
  },
  { title: 'a ROM without option 93', facts: { vendorClass: PXE }, is: 'bios' },
  {
    title: 'U-Boot, which sends an arch and no class we know',
    facts: { arch: 0x16, vendorClass: 'U-Boot.armv8' },
    is: 'other',
  },
  { title: 'an installed Linux', facts: { vendorClass: 'udhcp 1.36.1' }, is: 'other' },
  { title: 'a client that says nothing', facts: {}, is: 'other' },
  {
    title: 'our loader, which still says PXEClient',
    facts: { arch: 0, vendorClass: PXE, userClasses: ['iPXE'], ipxe: FULL },
    is: 'ipxe',
  },
  { title: 'an iPXE on UEFI', facts: { arch: 7, vendorClass: PXE, userClasses: ['iPXE'], ipxe: FULL }, is: 'ipxe' },
  { title: 'an iPXE with its own user class', facts: { arch: 0, userClasses: ['rack'], ipxe: FULL }, is: 'ipxe' },
  { title: 'an iPXE behind a relay that drops option 175', facts: { arch: 0, userClasses: ['iPXE'] }, is: 'ipxe' },
  { title: 'FlexBoot: stripped, no user class', facts: { arch: 0, vendorClass: PXE, ipxe: STRIPPED }, is: 'bios' },
  { title: 'FlexBoot on UEFI', facts: { arch: 7, vendorClass: PXE, ipxe: STRIPPED }, is: 'uefi' },
  {
    title: 'VirtualBox: stripped, with the user class',
    facts: { arch: 0, vendorClass: PXE, userClasses: ['iPXE'], ipxe: STRIPPED },
    is: 'bios',
  },
];

describe('what the client is', () => {
  for (const { title, facts, is } of CASES) {
    it(`${title} is "${is}"`, () => {
      assert.equal(firmwareOf(client(facts)), is);
    });
  }

  it('knows exactly these architectures of the IANA registry, and a few numbers past its end', () => {
    const known: Record<number, Firmware> = { 0: 'bios', 7: 'uefi', 9: 'uefi', 15: 'http', 16: 'http' };
    for (let arch = 0; arch <= 0x40; arch++) {
      assert.equal(firmwareOf(client({ arch, vendorClass: 'PXEClient' })), known[arch] ?? 'other', `arch ${arch}`);
    }
  });

  it('believes option 93 before the vendor class', () => {
    assert.equal(archOf(client({ arch: 7, vendorClass: PXE })), 7);
    assert.equal(archOf(client({ vendorClass: 'PXEClient:Arch:00009' })), 9);
    assert.equal(archOf(client({ vendorClass: 'PXEClient' })), undefined);
  });

  it('tells netboot clients from installed systems', () => {
    assert.equal(isNetbootClient(client({ vendorClass: 'MSFT 5.0' })), false);
    assert.equal(isNetbootClient(client({ userClasses: ['iPXE'] })), true);
    assert.equal(isNetbootClient(client({ vendorClass: 'HTTPClient' })), true);
  });
});
