import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import type { BootClient } from '../../src/boot/firmware.ts';
import { explainQuirks, quirksOf } from '../../src/boot/quirks-of.ts';
import { QUIRKS, type QuirkName } from '../../src/plan/quirk-table.ts';
import { mac } from './boot-plan-fixture.ts';

const MAC = mac('52:54:00:12:34:56');
const PI = mac('b8:27:eb:12:34:56');
const PXE = 'PXEClient:Arch:00000:UNDI:002001';
/** What is done for everyone. */
const ALWAYS = ['boot-file-nul', 'boot-file-in-header'];
const PXE_ALWAYS = [...ALWAYS, 'pxe-direct', 'machine-id-echo'];
const FULL = { features: [19, 24] };
const STRIPPED = { features: [16, 23, 39] };

function client(facts: Partial<BootClient>): BootClient {
  return { mac: MAC, userClasses: [], ...facts };
}

const CLIENTS: readonly (readonly [string, Partial<BootClient>, readonly string[]])[] = [
  ['an installed system', { vendorClass: 'udhcp 1.36.1' }, ALWAYS],
  ['a client that says nothing', {}, ALWAYS],
  ['a BIOS', { arch: 0, vendorClass: PXE }, PXE_ALWAYS],
  ['a BIOS that tells its architecture in its vendor class only', { vendorClass: PXE }, PXE_ALWAYS],
  ['x64 UEFI that calls itself 7', { arch: 7, vendorClass: 'PXEClient:Arch:00007:UNDI:003000' }, PXE_ALWAYS],
  ['x64 UEFI that calls itself 9', { arch: 9, vendorClass: 'PXEClient' }, [...PXE_ALWAYS, 'arch-9-is-x64']],
  ['9 in its vendor class only', { vendorClass: 'PXEClient:Arch:00009' }, [...PXE_ALWAYS, 'arch-9-is-x64']],
  [
    'UEFI HTTP boot',
    { arch: 16, vendorClass: 'HTTPClient:Arch:00016:UNDI:003000' },
    [...ALWAYS, 'machine-id-echo', 'uefi-http-boot'],
  ],
  ['HTTP boot by its number only', { arch: 19 }, [...ALWAYS, 'uefi-http-boot']],
  ['U-Boot', { arch: 0x16, vendorClass: 'U-Boot.armv8' }, ALWAYS],
  ['a whole iPXE', { arch: 0, vendorClass: PXE, ipxe: FULL }, PXE_ALWAYS],
  ['FlexBoot', { arch: 0, vendorClass: PXE, ipxe: STRIPPED }, [...PXE_ALWAYS, 'stripped-ipxe']],
  ["a Raspberry Pi's DISCOVER", { mac: PI, arch: 0, vendorClass: PXE }, [...PXE_ALWAYS, 'raspberry-pi']],
  ["a Raspberry Pi's REQUEST", { mac: PI }, [...ALWAYS, 'raspberry-pi']],
  ['rpiboot', { arch: 0x29, vendorClass: 'PXEClient:Arch:00041' }, [...PXE_ALWAYS, 'raspberry-pi']],
  ['UEFI on a Raspberry Pi', { mac: PI, arch: 11, vendorClass: 'PXEClient:Arch:00011' }, PXE_ALWAYS],
  ['Linux on a Raspberry Pi', { mac: PI, vendorClass: 'dhcpcd-9.4.1:Linux-6.1' }, ALWAYS],
];

describe('the quirks of', () => {
  for (const [title, facts, names] of CLIENTS) {
    it(`${title}: ${names.slice(ALWAYS.length).join(', ') || 'those of everyone'}`, () => {
      assert.deepEqual(quirksOf(client(facts)).names, names);
      assert.deepEqual(quirksOf(client(facts), {}).names, names);
    });
  }
});

describe('a switch', () => {
  for (const { name } of QUIRKS) {
    it(`turns ${name} off for whoever has it, and nothing else`, () => {
      for (const [, facts] of CLIENTS) {
        const usual = quirksOf(client(facts)).names;
        const rest = usual.filter((other) => other !== name);
        assert.deepEqual(quirksOf(client(facts), { [name]: false }).names, rest);
      }
    });
  }

  const WIDER: readonly (readonly [QuirkName, Partial<BootClient>, boolean])[] = [
    ['broadcast-reply', { vendorClass: 'udhcp 1.36.1' }, true],
    ['broadcast-reply', { arch: 7, vendorClass: 'PXEClient' }, true],
    // A Pi with a prefix that the table does not know yet
    ['raspberry-pi', { arch: 0, vendorClass: PXE }, true],
    ['raspberry-pi', {}, true],
    ['raspberry-pi', { arch: 11, vendorClass: 'PXEClient:Arch:00011' }, false],
    // Where it would do harm, and no good: a script-less loop, a URL for a ROM that knows TFTP only
    ['stripped-ipxe', { arch: 0, ipxe: FULL }, false],
    ['uefi-http-boot', { arch: 7, vendorClass: 'PXEClient' }, false],
    ['pxe-direct', { vendorClass: 'udhcp 1.36.1' }, false],
  ];
  for (const [name, facts, does] of WIDER) {
    it(`${does ? 'turns' : 'does not turn'} ${name} on for ${JSON.stringify(facts)}`, () => {
      assert.equal(quirksOf(client(facts), { [name]: true }).names.includes(name), does);
    });
  }
});

describe('the effects', () => {
  it('of a Raspberry Pi replace those of any other PXE client', () => {
    const { effects } = quirksOf(client({ mac: PI, arch: 0, vendorClass: PXE }));
    assert.equal(effects.bootFile, 'none');
    assert.notEqual(effects.vendorOptions, quirksOf(client({ arch: 0, vendorClass: PXE })).effects.vendorOptions);
  });

  it('are the same by the short way, which most packets go, as by the table', () => {
    const clients = fc.record(
      {
        mac: fc.constantFrom(MAC, PI, mac('28:cd:c1:00:00:00'), mac('00:00:00:00:00:00')),
        arch: fc.constantFrom(0, 6, 7, 9, 16, 0x29, 0xffff),
        vendorClass: fc.constantFrom(PXE, 'PXEClient:Arch:00009', 'HTTPClient', 'MSFT 5.0', ''),
        userClasses: fc.subarray(['iPXE', 'rack']),
        ipxe: fc.record({ features: fc.subarray([16, 19]) }),
      },
      { requiredKeys: ['mac', 'userClasses'] },
    );
    fc.assert(
      fc.property(clients, (each) => assert.deepEqual(quirksOf(each), quirksOf(each, {}))),
      { seed: 20261122, numRuns: 1000 },
    );
  });
});

describe('each quirk that concerns a client is explained', () => {
  it('as applied, with what is done and for whom', () => {
    const notes = explainQuirks(client({ arch: 7, vendorClass: 'PXEClient:Arch:00007' }));
    assert.deepEqual(
      notes.map(({ name, applies }) => [name, applies]),
      PXE_ALWAYS.map((name) => [name, true]),
    );
    assert.equal(
      notes[2]?.sentence,
      'option 60 is PXEClient and option 43 says "boot the file at once", so that it neither waits for a proxy, ' +
        'asks port 4011 nor shows a menu (as for every PXE client that is offered a boot server)',
    );
  });

  it('as switched on or off in the file', () => {
    const notes = explainQuirks(client({}), { 'broadcast-reply': true, 'boot-file-nul': false, 'pxe-direct': false });
    assert.deepEqual(
      notes.map(({ name, applies, sentence }) => [name, applies, sentence.slice(0, 60)]),
      [
        ['boot-file-nul', false, 'switched off in the file; else for every client: option 67 e'],
        ['boot-file-in-header', true, 'the boot file is in the header field `file` as well as in op'],
        ['broadcast-reply', true, 'replies are broadcast although the client does not ask for i'],
      ],
    );
    assert.match(notes[2]?.sentence ?? '', /\(as the file switches it on\)$/);
  });
});
