import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bootPhases, phaseLines } from '../../src/lab/boot-phases.ts';
import type { EventBody, RackEvent } from '../../src/timeline/event.ts';

const POWER_ON = 1_700_000_000_000;

const DISCOVER: EventBody = { kind: 'dhcp.discover' };
const OFFER: EventBody = { kind: 'dhcp.offer', leaseSeconds: 3600 };
const ACK: EventBody = { kind: 'dhcp.ack' };
const QUESTION: EventBody = {
  kind: 'dns.first-question',
  name: 'node1.lab.test',
  type: 'A',
  answer: '192.168.127.221',
};
const UP: EventBody = { kind: 'machine.report', report: { stage: 'up' } };

function fetched(path: string, bytes: number, milliseconds: number): EventBody {
  return { kind: 'http.sent', path, status: 200, bytes, milliseconds };
}

function loaded(file: string): EventBody {
  return { kind: 'tftp.sent', file, bytes: 173_792, milliseconds: 40, retransmitted: 0 };
}

function at(...timed: readonly (readonly [number, EventBody])[]): RackEvent[] {
  return timed.map(([after, body]) => ({ ...body, at: POWER_ON + after, source: 'dhcp' }));
}

const FIRMWARE = [
  [2400, DISCOVER],
  [2402, OFFER],
  [3400, DISCOVER],
  [3402, OFFER],
  [5440, ACK],
] as const;
const FILES = [
  [18_480, fetched('/boot.ipxe', 300, 1)],
  [18_500, fetched('/ipxe/52-54-00-12-34-56', 200, 1)],
  [18_700, fetched('/lab/vmlinuz', 14_000_000, 200)],
  [18_750, fetched('/lab/initrd.gz', 1_200_000, 8)],
] as const;
const LINUX = [
  [23_300, DISCOVER],
  [23_301, OFFER],
  [23_330, ACK],
  [23_430, QUESTION],
  [23_540, UP],
] as const;
const LOADER = [
  [5500, loaded('snponly.efi')],
  [7500, DISCOVER],
  [10_500, ACK],
] as const;

describe('bootPhases', () => {
  it('cuts a BIOS boot where one part hands over to the next', () => {
    const { phases, missing } = bootPhases(at(...FIRMWARE, ...FILES, ...LINUX), 'none', POWER_ON);
    assert.equal(missing, undefined);
    assert.deepEqual(
      phases.map(({ milliseconds }) => milliseconds),
      [2400, 2, 3038, 13_060, 200, 50, 4550, 30, 100, 110],
    );
  });

  it('counts the loader and its own lease in a UEFI boot', () => {
    const { phases } = bootPhases(at(...FIRMWARE, ...LOADER, ...FILES, ...LINUX), 'snponly', POWER_ON);
    const [, , , loader, lease] = phases;
    assert.deepEqual([loader?.title, loader?.milliseconds], ['loader comes by TFTP', 60]);
    assert.deepEqual([lease?.title, lease?.milliseconds], ['loader starts and gets its address', 5000]);
  });

  it('counts a loader that comes by HTTP', () => {
    const loader = [[5500, fetched('/snponly.efi', 173_792, 10)], LOADER[1], LOADER[2]] as const;
    const { phases, missing } = bootPhases(at(...FIRMWARE, ...loader, ...FILES, ...LINUX), 'snponly', POWER_ON);
    assert.equal(missing, undefined);
    assert.deepEqual([phases[3]?.title, phases[3]?.milliseconds], ['loader comes by HTTP', 60]);
  });

  it('follows shim to GRUB, by whatever protocol each file comes', () => {
    const files = [
      [5500, loaded('shimx64.efi')],
      [6000, loaded('grubx64.efi')],
      [7000, loaded('grub/grub.cfg')],
      [7100, loaded('grub/grub.cfg-52:54:00:12:34:56')],
      [8000, fetched('/lab/vmlinuz', 14_000_000, 200)],
      [9000, loaded('lab/initrd.gz')],
    ] as const;
    const { phases, missing } = bootPhases(at(...FIRMWARE, ...files, ...LINUX), 'shim', POWER_ON);
    assert.equal(missing, undefined);
    assert.deepEqual(
      phases.slice(3, 9).map(({ title }) => title),
      [
        'shim comes by TFTP',
        'GRUB comes by TFTP',
        'GRUB starts; its script comes by TFTP',
        'its own script comes by TFTP',
        'kernel comes by HTTP',
        'initrd comes by TFTP',
      ],
    );
    const withoutShim = bootPhases(at(...FIRMWARE, ...files.slice(1)), 'shim', POWER_ON);
    assert.equal(withoutShim.missing, 'the firmware fetched no shim');
  });

  it('expects no shim where there is none', () => {
    const files = [[5500, loaded('grubia32.efi')]] as const;
    const { missing } = bootPhases(at(...FIRMWARE, ...files), 'grub', POWER_ON);
    assert.equal(missing, 'GRUB fetched no script');
  });

  it('follows PXELINUX to its library and its script', () => {
    const files = [
      [5500, loaded('lpxelinux/lpxelinux.0')],
      [5600, loaded('lpxelinux/ldlinux.c32')],
      [5700, loaded('lpxelinux/pxelinux.cfg/01-52-54-00-12-34-56')],
    ] as const;
    const { missing } = bootPhases(at(...FIRMWARE, ...files), 'lpxelinux', POWER_ON);
    assert.equal(missing, 'the kernel was not fetched');
  });

  it('adds up to the whole time from power-on', () => {
    const summary = bootPhases(at(...FIRMWARE, ...LOADER, ...FILES, ...LINUX), 'snponly', POWER_ON);
    assert.equal(phaseLines(summary).at(-1), '  23.54 s  in all');
  });

  it('tells size and speed of a file, but not of a script', () => {
    const { phases } = bootPhases(at(...FIRMWARE, ...FILES), 'none', POWER_ON);
    assert.deepEqual(
      phases.slice(3).map(({ detail }) => detail),
      [undefined, '14.00 MB, 70.0 MB/s', '1.20 MB, 24.0 MB/s'],
    );
  });

  it('does not mind events of different services that arrive out of order', () => {
    const inOrder = at(...FIRMWARE, ...FILES, ...LINUX);
    const turned = bootPhases(inOrder.toReversed(), 'none', POWER_ON);
    assert.deepEqual(turned, bootPhases(inOrder, 'none', POWER_ON));
  });

  const stops: readonly (readonly [string, RackEvent[], string])[] = [
    ['firmware without a network', [], 'the firmware never asked for an address'],
    [
      'an offer that was not taken',
      at([1, DISCOVER], [2, OFFER]),
      'the firmware did not take the address it was offered',
    ],
    ['a missing script', at(...FIRMWARE), 'iPXE fetched no script'],
    ['a kernel that does not start', at(...FIRMWARE, ...FILES), 'Linux never asked for an address'],
    [
      'a machine whose name does not resolve',
      at(...FIRMWARE, ...FILES, ...LINUX.slice(0, 4), [24_000, { kind: 'machine.report', report: { stage: 'x' } }]),
      'no report came that the machine is up',
    ],
  ];
  for (const [what, events, sentence] of stops) {
    it(`says what is missing after ${what}`, () => {
      assert.equal(bootPhases(events, 'none', POWER_ON).missing, sentence);
    });
  }

  it('does not take an error page for the kernel', () => {
    const failed: EventBody = { kind: 'http.sent', path: '/lab/vmlinuz', status: 404, bytes: 10, milliseconds: 1 };
    const summary = bootPhases(at(...FIRMWARE, ...FILES.slice(0, 2), [19_000, failed]), 'none', POWER_ON);
    assert.equal(summary.missing, 'the kernel was not fetched');
  });
});
