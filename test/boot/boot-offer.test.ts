import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { bootOffer, type BootOffer, type BootWishes } from '../../src/boot/boot-offer.ts';
import { isFullIpxe, type BootClient } from '../../src/boot/firmware.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { ip4, mac, testPlan } from './boot-plan-fixture.ts';

const RACK = ip4('192.0.2.1');
const MAC = mac('52:54:00:12:34:56');

/** The offer itself; its quirks are asked in quirks-of.test.ts. */
function offerOf(
  facts: Partial<BootClient>,
  { plan = testPlan(), switches, loaders }: { plan?: Plan } & BootWishes = {},
): Omit<BootOffer, 'quirks' | 'script' | 'runs'> {
  const client = { mac: MAC, userClasses: [], ...facts };
  const { quirks: _, script: _script, runs: _runs, ...offer } = bootOffer(plan, client, RACK, { switches, loaders });
  return offer;
}

describe('the boot offer', () => {
  it('gives a BIOS its loader by TFTP', () => {
    assert.deepEqual(offerOf({ arch: 0 }), {
      bootFile: 'undionly.kpxe',
      nextServer: RACK,
      why: 'architecture 0 is x86 BIOS, which gets the loader undionly.kpxe by TFTP',
    });
  });

  it('gives x64 UEFI its loader, whether it calls itself 7 or 9', () => {
    for (const arch of [7, 9]) {
      assert.deepEqual(offerOf({ arch }), {
        bootFile: 'snponly.efi',
        nextServer: RACK,
        why: `architecture ${arch} is x86-64 UEFI, which gets the loader snponly.efi by TFTP`,
      });
    }
  });

  const U_BOOT: readonly (readonly [arch: number, vendorClass: string | undefined, folder: string])[] = [
    [0x15, 'U-Boot.armv7', 'u-boot-armhf'],
    [0x16, 'U-Boot.armv8', 'u-boot-arm64'],
    [0x16, undefined, 'u-boot-arm64'],
    [0x100, 'U-boot.armv7.highbank', 'u-boot-armhf'],
    [0x100, 'U-Boot.armv8', 'u-boot-arm64'],
  ];
  for (const [arch, vendorClass, folder] of U_BOOT) {
    it(`gives a U-Boot of architecture ${arch}, ${vendorClass ?? 'without a vendor class'}, the folder of its script`, () => {
      const client = { mac: MAC, userClasses: [], arch, vendorClass };
      const { bootFile, script, nextServer } = bootOffer(testPlan({ loaders: {} }), client, RACK);
      assert.equal(bootFile, `${folder}/see-pxelinux.cfg`);
      assert.equal(script, `${folder}/pxelinux.cfg/01-52-54-00-12-34-56`);
      assert.equal(nextServer, RACK);
    });
  }

  it('gives a U-Boot the EFI program in that folder, if there is one, for a script of its own that starts it', () => {
    assert.deepEqual(offerOf({ arch: 0x16 }), {
      bootFile: 'u-boot-arm64/snponly-arm64.efi',
      nextServer: RACK,
      why: 'architecture 22 is 64-bit ARM U-Boot, which reads its script itself, as pxelinux.cfg in the folder of its boot file; snponly-arm64.efi is for one that starts EFI programs',
    });
  });

  it('gives a POWER machine under OPAL the folder of its script, and one with Open Firmware its GRUB', () => {
    assert.equal(offerOf({ arch: 0x0e }).bootFile, 'petitboot-ppc64el/see-pxelinux.cfg');
    const loaders = { 'open-firmware': { path: 'bootppc64.bin', file: '/x' } };
    const client = { mac: MAC, userClasses: [], arch: 0x0c };
    const { bootFile, script } = bootOffer(testPlan(), client, RACK, { loaders });
    assert.deepEqual([bootFile, script], ['bootppc64.bin', 'grub/grub.cfg-52:54:00:12:34:56']);
    assert.deepEqual(offerOf({ arch: 0x0c }), {
      why: 'architecture 12 is POWER with Open Firmware, and this rack found no loader for it on disk',
    });
  });

  const RUNS: readonly (readonly [arch: number | undefined, runs: string])[] = [
    [undefined, 'x86'],
    [0x00, 'x86'],
    [0x07, 'x86'],
    [0x09, 'x86'],
    [0x0a, 'armhf'],
    [0x0b, 'arm64'],
    [0x0c, 'ppc64el'],
    [0x0e, 'ppc64el'],
    [0x12, 'armhf'],
    [0x13, 'arm64'],
    [0x15, 'armhf'],
    [0x16, 'arm64'],
    [0x17, 'armhf'],
    [0x18, 'arm64'],
    [0x1b, 'x86'],
  ];
  for (const [arch, runs] of RUNS) {
    it(`says that the files of an image for ${runs} are for architecture ${arch ?? 'unknown'}`, () => {
      assert.equal(bootOffer(testPlan(), { mac: MAC, userClasses: [], arch }, RACK).runs, runs);
    });
  }

  it('gives iPXE the script, by literal address', () => {
    assert.deepEqual(offerOf({ arch: 0, userClasses: ['iPXE'] }), {
      bootFile: 'http://192.0.2.1:5248/boot.ipxe',
      nextServer: RACK,
      why: 'an iPXE gets the script by HTTP, and never a loader again',
    });
  });

  const NOTHING: readonly { title: string; facts: Omit<BootClient, 'mac' | 'userClasses'>; why: string }[] = [
    {
      title: 'an installed system',
      facts: { vendorClass: 'udhcp 1.36.1' },
      why: 'not a network boot client: no PXEClient or HTTPClient vendor class, no architecture',
    },
    { title: 'a RISC-V server', facts: { arch: 27 }, why: 'this rack has no loader for architecture 27' },
    {
      title: 'a PXE client that hides its architecture',
      facts: { vendorClass: 'PXEClient' },
      why: 'a network boot client that does not tell its architecture (option 93)',
    },
  ];
  for (const { title, facts, why } of NOTHING) {
    it(`gives ${title} nothing, and says why`, () => {
      assert.deepEqual(offerOf(facts), { why });
    });
  }

  it('gives UEFI HTTP boot the same loader by a URL with a literal address, each part of its path encoded', () => {
    const http = { arch: 16, vendorClass: 'HTTPClient:Arch:00016:UNDI:003000' };
    assert.deepEqual(offerOf(http), {
      bootFile: 'http://192.0.2.1:5248/snponly.efi',
      nextServer: RACK,
      why: 'architecture 16 is x86-64 UEFI, which gets the loader snponly.efi by HTTP',
    });
    const plan = testPlan({ loaders: { uefi: { path: 'x64/a+b%.efi', file: '/x' } } });
    assert.equal(offerOf(http, { plan }).bootFile, 'http://192.0.2.1:5248/x64/a%2Bb%25.efi');
  });

  it('leaves UEFI HTTP boot to try PXE where the file switches it off', () => {
    for (const facts of [{ arch: 16 }, { arch: 7, vendorClass: 'HTTPClient:Arch:00007' }]) {
      assert.deepEqual(offerOf(facts, { switches: { 'uefi-http-boot': false } }), {
        why: 'UEFI HTTP boot is switched off: the firmware is left to try PXE',
      });
    }
  });

  it('gives a Raspberry Pi the server and no file', () => {
    const facts = { mac: mac('dc:a6:32:12:34:56'), arch: 0, vendorClass: 'PXEClient:Arch:00000:UNDI:002001' };
    assert.deepEqual(offerOf(facts), {
      nextServer: RACK,
      why: 'a Raspberry Pi is told the server, and asks it for files of its own by TFTP',
    });
  });

  it('says so when the loader is missing on disk', () => {
    const plan = testPlan({ loaders: {} });
    assert.deepEqual(offerOf({ arch: 7 }, { plan }), {
      why: 'architecture 7 is x86-64 UEFI, and this rack found no loader for it on disk',
    });
  });

  const IPXE = { userClasses: ['iPXE'], ipxe: { features: [19] } };
  const OTHERS: readonly (readonly [arch: number, path: string])[] = [
    [0, 'pxelinux.0'],
    [0, 'lpxelinux/lpxelinux.0'],
    [7, 'shimx64.efi'],
    [11, 'grubaa64.efi'],
  ];
  for (const [arch, path] of OTHERS) {
    it(`gives an iPXE ROM of architecture ${arch} ${path} where the file chose that`, () => {
      const file = { path, file: `/x/${path}` };
      const loaders = { bios: file, uefi: file, 'uefi-arm64': file };
      assert.equal(offerOf({ arch, ...IPXE }, { plan: testPlan({ loaders }) }).bootFile, path);
      assert.equal(offerOf({ arch, ...IPXE }, { loaders }).bootFile, path);
    });
  }

  it('never gives an iPXE a loader that may be an iPXE again, by whatever name', () => {
    for (const path of ['ipxe.efi', 'snponly.efi', 'mine/boot.efi', 'undionly.kkpxe']) {
      const file = { path, file: `/x/${path}` };
      const { bootFile } = offerOf({ arch: 7, ...IPXE }, { loaders: { uefi: file, bios: file } });
      assert.equal(bootFile, 'http://192.0.2.1:5248/boot.ipxe');
    }
  });

  it('gives one machine the loader of its own, and the others of that firmware theirs', () => {
    const loaders = { uefi: { path: 'ipxe.efi', file: '/usr/lib/ipxe/ipxe.efi' } };
    assert.equal(offerOf({ arch: 7 }, { loaders }).bootFile, 'ipxe.efi');
    assert.equal(offerOf({ arch: 0 }, { loaders }).bootFile, 'undionly.kpxe');
    assert.equal(offerOf({ arch: 7 }).bootFile, 'snponly.efi');
  });

  it('leaves UEFI HTTP boot to try PXE where the loader is a GRUB, which would have no network', () => {
    for (const path of ['shimx64.efi', 'grubx64.efi']) {
      assert.deepEqual(offerOf({ arch: 16 }, { loaders: { uefi: { path, file: '/x' } } }), {
        why: 'architecture 16 is x86-64 UEFI, but a GRUB that came by HTTP has no network: the firmware is left to try PXE',
      });
    }
  });

  it('never gives a full iPXE a loader, whatever else it says', () => {
    const clients = fc.record(
      {
        mac: fc.constant(MAC),
        arch: fc.integer({ min: 0, max: 0xffff }),
        vendorClass: fc.constantFrom('PXEClient:Arch:00000:UNDI:002001', 'HTTPClient', 'other'),
        userClasses: fc.subarray(['iPXE', 'rack']),
        ipxe: fc.record({ features: fc.subarray([16, 19, 24, 36]) }),
      },
      { requiredKeys: ['mac', 'userClasses'] },
    );
    fc.assert(
      fc.property(clients, (client) => {
        const { bootFile } = bootOffer(testPlan(), client, RACK);
        if (isFullIpxe(client)) assert.equal(bootFile, 'http://192.0.2.1:5248/boot.ipxe');
        else assert.notEqual(bootFile, 'http://192.0.2.1:5248/boot.ipxe');
      }),
      { seed: 20261122, numRuns: 500 },
    );
  });
});
