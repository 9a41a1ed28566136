import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { bootOffer } from '../../src/boot/boot-offer.ts';
import { archOf, isNetbootClient, type BootClient } from '../../src/boot/firmware.ts';
import { ip4, mac, testPlan } from './boot-plan-fixture.ts';

function client(facts: Partial<BootClient>): BootClient {
  return { mac: mac('52:54:00:12:34:56'), userClasses: [], ...facts };
}

const BIOS = 'undionly.kpxe';
const UEFI = 'snponly.efi';
const ARM = 'snponly-arm64.efi';
const HTTP = 'http://192.0.2.1:5248/';
const SCRIPT = `${HTTP}boot.ipxe`;

const PXE = 'PXEClient:Arch:00000:UNDI:002001';
/** What iPXE puts in option 175 beside the features: 0xb0 is no feature but "no proxy DHCP". */
const FULL = { features: [0xb0, 16, 18, 19, 21, 23, 24, 33, 34, 39] };
const STRIPPED = { features: [0xb0, 16, 23, 39] };

const CASES: readonly { title: string; facts: Partial<BootClient>; gets: string | undefined }[] = [
  { title: 'a PC BIOS', facts: { arch: 0, vendorClass: PXE }, gets: BIOS },
  {
    title: 'x64 UEFI that calls itself 7',
    facts: { arch: 7, vendorClass: 'PXEClient:Arch:00007:UNDI:003016' },
    gets: UEFI,
  },
  {
    title: 'x64 UEFI that calls itself 9',
    facts: { arch: 9, vendorClass: 'PXEClient:Arch:00009:UNDI:003016' },
    gets: UEFI,
  },
  {
    title: 'x64 UEFI HTTP boot',
    facts: { arch: 16, vendorClass: 'HTTPClient:Arch:00016:UNDI:003001' },
    gets: HTTP + UEFI,
  },
  {
    title: 'HTTP boot of a firmware that leaves its arch at 7',
    facts: { arch: 7, vendorClass: 'HTTPClient' },
    gets: HTTP + UEFI,
  },
  { title: 'a ROM without option 93', facts: { vendorClass: PXE }, gets: BIOS },
  {
    title: 'U-Boot, which sends an arch and no class we know',
    facts: { arch: 0x16, vendorClass: 'U-Boot.armv8' },
    gets: `u-boot-arm64/${ARM}`,
  },
  { title: 'an ARM server', facts: { arch: 11, vendorClass: 'PXEClient:Arch:00011:UNDI:003000' }, gets: ARM },
  {
    title: 'HTTP boot of an ARM server',
    facts: { arch: 19, vendorClass: 'HTTPClient:Arch:00019:UNDI:003000' },
    gets: HTTP + ARM,
  },
  { title: 'a client of HTTP boot that tells no architecture', facts: { vendorClass: 'HTTPClient' }, gets: undefined },
  { title: 'an installed Linux', facts: { vendorClass: 'udhcp 1.36.1' }, gets: undefined },
  { title: 'a client that says nothing', facts: {}, gets: undefined },
  {
    title: 'our loader, which still says PXEClient',
    facts: { arch: 0, vendorClass: PXE, userClasses: ['iPXE'], ipxe: FULL },
    gets: SCRIPT,
  },
  { title: 'an iPXE on UEFI', facts: { arch: 7, vendorClass: PXE, userClasses: ['iPXE'], ipxe: FULL }, gets: SCRIPT },
  { title: 'an iPXE with its own user class', facts: { arch: 0, userClasses: ['rack'], ipxe: FULL }, gets: SCRIPT },
  { title: 'an iPXE behind a relay that drops option 175', facts: { arch: 0, userClasses: ['iPXE'] }, gets: SCRIPT },
  { title: 'FlexBoot: stripped, no user class', facts: { arch: 0, vendorClass: PXE, ipxe: STRIPPED }, gets: BIOS },
  { title: 'FlexBoot on UEFI', facts: { arch: 7, vendorClass: PXE, ipxe: STRIPPED }, gets: UEFI },
  {
    title: 'VirtualBox: stripped, with the user class',
    facts: { arch: 0, vendorClass: PXE, userClasses: ['iPXE'], ipxe: STRIPPED },
    gets: BIOS,
  },
];

function get(facts: Partial<BootClient>): string | undefined {
  return bootOffer(testPlan(), client(facts), ip4('192.0.2.1')).bootFile;
}

describe('what a client gets to boot', () => {
  for (const { title, facts, gets } of CASES) {
    it(`${title}: ${gets ?? 'nothing'}`, () => {
      assert.equal(get(facts), gets);
    });
  }

  it('is decided for exactly these architectures of the IANA registry, and none past its end', () => {
    const readers = {
      14: 'petitboot-ppc64el/see-pxelinux.cfg',
      21: 'u-boot-armhf/see-pxelinux.cfg',
      22: `u-boot-arm64/${ARM}`,
    };
    const known: Record<number, string> = { 0: BIOS, 6: 'ia32.efi', 7: UEFI, 9: UEFI, 11: ARM, ...readers };
    const byHttp: Record<number, string> = { 15: 'ia32.efi', 16: UEFI, 19: ARM, 24: ARM };
    for (let arch = 0; arch <= 0x40; arch++) {
      const http = byHttp[arch];
      const wanted = known[arch] ?? (http === undefined ? undefined : HTTP + http);
      assert.equal(get({ arch, vendorClass: 'PXEClient' }), wanted, `arch ${arch}`);
    }
  });
});

describe('what a client is', () => {
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
