import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { bootOffer } from '../../src/boot/boot-offer.ts';
import { isFullIpxe, type BootClient } from '../../src/boot/firmware.ts';
import { ip4, mac, testPlan } from './boot-plan-fixture.ts';

const RACK = ip4('192.0.2.1');
const MAC = mac('52:54:00:12:34:56');

describe('the boot offer', () => {
  it('gives a BIOS its loader by TFTP', () => {
    assert.deepEqual(bootOffer(testPlan(), { mac: MAC, arch: 0, userClasses: [] }, RACK), {
      bootFile: 'undionly.kpxe',
      nextServer: RACK,
      why: 'architecture 0 is x86 BIOS, which gets the loader undionly.kpxe by TFTP',
    });
  });

  it('gives x64 UEFI its loader, whether it calls itself 7 or 9', () => {
    for (const arch of [7, 9]) {
      assert.deepEqual(bootOffer(testPlan(), { mac: MAC, arch, userClasses: [] }, RACK), {
        bootFile: 'snponly.efi',
        nextServer: RACK,
        why: `architecture ${arch} is x86-64 UEFI, which gets the loader snponly.efi by TFTP`,
      });
    }
  });

  it('gives iPXE the script, by literal address', () => {
    assert.deepEqual(bootOffer(testPlan(), { mac: MAC, arch: 0, userClasses: ['iPXE'] }, RACK), {
      bootFile: 'http://192.0.2.1:5248/boot.ipxe',
      nextServer: RACK,
      why: 'an iPXE that speaks HTTP gets the script, and never a loader again',
    });
  });

  const NOTHING: readonly { title: string; facts: Omit<BootClient, 'mac' | 'userClasses'>; why: string }[] = [
    {
      title: 'an installed system',
      facts: { vendorClass: 'udhcp 1.36.1' },
      why: 'not a network boot client: no PXEClient or HTTPClient vendor class, no architecture',
    },
    { title: 'an ARM server', facts: { arch: 11 }, why: 'this rack has no loader for architecture 11' },
    {
      title: 'a PXE client that hides its architecture',
      facts: { vendorClass: 'PXEClient' },
      why: 'a network boot client that does not tell its architecture (option 93)',
    },
    {
      title: 'UEFI HTTP boot',
      facts: { arch: 16, vendorClass: 'HTTPClient:Arch:00016' },
      why: 'UEFI HTTP boot is not served: the firmware is left to try PXE',
    },
  ];
  for (const { title, facts, why } of NOTHING) {
    it(`gives ${title} nothing, and says why`, () => {
      assert.deepEqual(bootOffer(testPlan(), { mac: MAC, userClasses: [], ...facts }, RACK), { why });
    });
  }

  it('says so when the loader is missing on disk', () => {
    const plan = testPlan({ loaders: {} });
    assert.deepEqual(bootOffer(plan, { mac: MAC, arch: 7, userClasses: [] }, RACK), {
      why: 'architecture 7 is x86-64 UEFI, and this rack found no loader for it on disk',
    });
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
