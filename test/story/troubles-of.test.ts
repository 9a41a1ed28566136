import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { TroubleKind } from '../../src/story/trouble.ts';
import { RULES } from '../../src/story/troubles-of.ts';
import type { EventBody } from '../../src/timeline/event.ts';
import {
  ACK,
  booted,
  http,
  IPXE,
  loaded,
  missing,
  OFFER,
  REQUEST,
  scripted,
  SYSTEM,
  tftp,
  troublesAfter,
  UEFI,
  type Step,
} from './story-fixture.ts';

const FULL: EventBody = { kind: 'dhcp.ignored', reason: 'no free address in its range', subnet: '192.0.2.0/24' };
const ELSEWHERE: EventBody = { kind: 'dhcp.ignored', reason: 'it chose the DHCP server 10.0.0.9', server: '10.0.0.9' };
const HOLDER = '02:00:00:00:00:0b';
const CONFLICT: EventBody = { kind: 'dhcp.conflict', holder: HOLDER };
const NAK: EventBody = { kind: 'dhcp.nak', reason: '10.9.0.7 is not on this network' };
const PROBE: EventBody = { kind: 'tftp.size-probe', file: 'snponly.efi', bytes: 700, blockSize: 1468 };

function failed(block: number, blockSize: number, silent = true): EventBody {
  const reason = `no answer from the client after block ${block}, asked 6 times`;
  return { kind: 'tftp.failed', file: 'snponly.efi', reason, blockSize, block, ...(silent && { silent }) };
}

/** Told late: a first try, of which the client never heard. */
const FIRST_TRY: EventBody = failed(0, 1468);
const SLOW_KERNEL: EventBody = {
  kind: 'http.under-way',
  path: '/debian/vmlinuz',
  bytes: 90_000_000,
  milliseconds: 20_000,
};
const SLOW_INITRD: EventBody = { ...SLOW_KERNEL, path: '/debian/initrd.gz' };
const HELD: EventBody = { kind: 'boot.held', entry: 'debian', boots: 8, withinSeconds: 7200 };
const DONE: EventBody = { kind: 'boot.done', entry: 'debian', by: 'delivered' };
const FOUR_BOOTS: readonly Step[] = [0, 120, 240, 360].flatMap((from) => booted(from));

interface Row {
  readonly steps: readonly Step[];
  /** Seconds. */
  readonly at: number;
  readonly isLocal?: boolean;
  readonly kind: TroubleKind;
  readonly what: string;
  /** Seconds of the events it rests on. */
  readonly rests: readonly number[];
}

/** Address and the name of a loader. */
function toldOf(from: number): Step[] {
  return loaded(from).slice(0, 4);
}

/** A system from its disk, or from what it booted. */
function system(from: number): Step[] {
  return [
    [from, SYSTEM],
    [from, OFFER],
    [from + 1, REQUEST],
    [from + 1, { kind: 'dhcp.ack' }],
  ];
}

/** A script that says what it boots. */
function scriptOf(boots: string): Step[] {
  return [...loaded(), [10, http('/ipxe/52:54:00:12:34:56', boots)]];
}

/** At least one of each kind of trouble. */
const TROUBLES: readonly Row[] = [
  {
    steps: [
      [0, UEFI],
      [1, FULL],
    ],
    at: 2,
    kind: 'range-full',
    what: 'asks for an address, and none is free in 192.0.2.0/24',
    rests: [1],
  },
  {
    steps: [
      [0, UEFI],
      [1, { kind: 'dhcp.exhausted', subnet: '192.0.2.0/24' }],
    ],
    at: 2,
    kind: 'range-full',
    what: 'asks for an address, and none is free in 192.0.2.0/24',
    rests: [1],
  },
  {
    steps: [
      [0, UEFI],
      [1, OFFER],
      [2, REQUEST],
      [2, ELSEWHERE],
    ],
    at: 3,
    kind: 'other-server',
    what: 'was offered 192.0.2.5 and took an address of the DHCP server 10.0.0.9 instead',
    rests: [1, 2],
  },
  {
    steps: [[2, ELSEWHERE]],
    at: 3,
    kind: 'other-server',
    what: 'took an address of the DHCP server 10.0.0.9 instead',
    rests: [2],
  },
  {
    steps: [
      [0, UEFI],
      [1, OFFER],
    ],
    at: 61,
    kind: 'offer-not-taken',
    what: 'was offered 192.0.2.5 once, last at 00:00:01, and never asked for it',
    rests: [1],
  },
  {
    steps: [
      [0, UEFI],
      [1, OFFER],
      [4, UEFI],
      [5, OFFER],
      [32, OFFER],
    ],
    at: 90,
    kind: 'offer-not-taken',
    what: 'was offered 192.0.2.5 3 times, last at 00:00:32, and never asked for it',
    rests: [1, 32],
  },
  {
    steps: [
      [0, NAK],
      [10, NAK],
      [20, NAK],
    ],
    at: 21,
    kind: 'refused-again',
    what: 'is refused its address again and again, 3 times since 00:00:00: 10.9.0.7 is not on this network',
    rests: [0, 20],
  },
  {
    steps: [
      [0, UEFI],
      [0, { kind: 'dhcp.ignored', reason: 'no range to be given from' }],
    ],
    at: 1,
    kind: 'not-answered',
    what: 'asks, and is not answered: no range to be given from',
    rests: [0],
  },
  {
    steps: [...system(0), [500, UEFI], [500, { kind: 'dhcp.ignored', reason: "leases can't be written" }]],
    at: 501,
    kind: 'not-answered',
    what: "asks, and is not answered: leases can't be written",
    rests: [500],
  },
  {
    steps: [
      [0, SYSTEM],
      [1, OFFER],
      [5, SYSTEM],
      [5, OFFER],
    ],
    at: 90,
    kind: 'offer-not-taken',
    what: 'was offered 192.0.2.5 twice, last at 00:00:05, and never asked for it',
    rests: [1, 5],
  },
  {
    steps: [
      [0, UEFI],
      [1, { kind: 'dhcp.decline' }],
      [9, ACK, '192.0.2.6'],
      [10, tftp('snponly.efi')],
    ],
    at: 20,
    kind: 'declined',
    what: 'declined 192.0.2.5: somebody else uses it',
    rests: [1],
  },
  {
    steps: [
      [0, UEFI],
      [1, { kind: 'dhcp.decline' }],
      [2, CONFLICT],
    ],
    at: 20,
    kind: 'declined',
    what: `declined 192.0.2.5: ${HOLDER} uses it`,
    rests: [1, 2],
  },
  {
    steps: [
      [0, UEFI],
      [1, CONFLICT],
    ],
    at: 2,
    kind: 'address-in-use',
    what: `is not offered 192.0.2.5: ${HOLDER} uses it`,
    rests: [1],
  },
  {
    steps: [
      [0, { kind: 'dhcp.discover', arch: 11 }],
      [1, { kind: 'dhcp.offer', leaseSeconds: 60 }],
      [2, REQUEST],
      [2, { kind: 'dhcp.ack' }],
    ],
    at: 40,
    kind: 'no-loader',
    what: 'has its address, wants to netboot and is told nothing to boot: it is of architecture 11',
    rests: [0, 2],
  },
  {
    steps: loaded().slice(0, 4),
    at: 62,
    kind: 'not-fetched',
    what: 'has its address and was told at 00:00:02 to boot snponly.efi, and never asked for it',
    rests: [0, 2],
  },
  {
    steps: [
      [0, UEFI],
      [1, { kind: 'dhcp.proxy-offer', bootFile: 'snponly.efi' }],
      [2, { kind: 'dhcp.elsewhere', server: '10.0.0.9' }],
    ],
    at: 62,
    kind: 'not-fetched',
    what: 'was told at 00:00:01 to boot snponly.efi, and never asked for it',
    rests: [0, 1],
  },
  {
    steps: [0, 45, 90, 135].flatMap(toldOf),
    at: 150,
    kind: 'not-fetched',
    what: 'has its address and was told 4 times, last at 00:02:17, to boot snponly.efi, and never asked for it',
    rests: [135, 137],
  },
  {
    steps: [...toldOf(0), ...system(30)],
    at: 100,
    kind: 'not-fetched',
    what: 'has its address and was told at 00:00:02 to boot snponly.efi, and never asked for it',
    rests: [0, 2],
  },
  {
    steps: [
      ...loaded().slice(0, 4),
      [3, { kind: 'tftp.refused', file: 'snponly.efi', reason: 'no such file', code: 1 }],
    ],
    at: 4,
    kind: 'file-missing',
    what: 'loader missing: snponly.efi',
    rests: [3],
  },
  {
    steps: [...scripted(), [11, missing('/debian/vmlinuz')]],
    at: 12,
    kind: 'file-missing',
    what: `got the loader snponly.efi, got its script, kernel missing: debian/vmlinuz`,
    rests: [3, 10, 11],
  },
  {
    steps: [...loaded(), [4, missing('/my/script.ipxe')]],
    at: 70,
    kind: 'file-missing',
    what: 'got the loader snponly.efi, file missing: my/script.ipxe',
    rests: [3, 4],
  },
  {
    steps: [...loaded().slice(0, 4), [3, PROBE]],
    at: 70,
    kind: 'packets-lost',
    what: 'fetched the size of snponly.efi, never the file: blksize 1468 may not pass',
    rests: [3],
  },
  {
    steps: [...loaded().slice(0, 4), [3, { ...PROBE, blockSize: 512 }], [30, failed(0, 1468)]],
    at: 31,
    kind: 'packets-lost',
    what: 'fetched the size of snponly.efi, never the file: blksize 1468 may not pass',
    rests: [3, 30],
  },
  {
    steps: [...loaded().slice(0, 4), [30, failed(0, 1468)]],
    at: 31,
    kind: 'packets-lost',
    what: 'asked for snponly.efi by TFTP, and no block of it arrived: blksize 1468 may not pass',
    rests: [30],
  },
  {
    steps: [...loaded().slice(0, 4), [30, failed(0, 512)]],
    at: 31,
    kind: 'packets-lost',
    what: 'asked for snponly.efi by TFTP, and not one block of it arrived',
    rests: [30],
  },
  {
    steps: [...loaded().slice(0, 4), [30, failed(7, 1468)]],
    at: 91,
    kind: 'cut-off',
    what: 'did not get snponly.efi whole: no answer from the client after block 7, asked 6 times',
    rests: [30],
  },
  {
    steps: [...loaded().slice(0, 4), [30, failed(0, 1468, false)]],
    at: 91,
    kind: 'cut-off',
    what: 'did not get snponly.efi whole: no answer from the client after block 0, asked 6 times',
    rests: [30],
  },
  {
    steps: [...scripted(), [12, { kind: 'http.failed', path: '/debian/initrd.gz', reason: 'closed after 5 bytes' }]],
    at: 91,
    kind: 'cut-off',
    what: 'did not get debian/initrd.gz whole: closed after 5 bytes',
    rests: [12],
  },
  {
    steps: [...loaded(), [4, { kind: 'http.refused', path: '/secret', status: 403, reason: 'not readable' }]],
    at: 70,
    kind: 'file-refused',
    what: 'is refused secret: not readable',
    rests: [4],
  },
  {
    steps: loaded(),
    at: 123,
    kind: 'no-script',
    what: 'got the loader snponly.efi, and nothing came of it: it never asked for its script',
    rests: [3],
  },
  {
    steps: scripted(),
    at: 71,
    kind: 'no-kernel',
    what: 'got its script at 00:00:10, and never asked for the kernel',
    rests: [10],
  },
  {
    steps: scriptOf('debian'),
    at: 71,
    isLocal: true,
    kind: 'no-kernel',
    what: 'got its script at 00:00:10, and never asked for the kernel',
    rests: [10],
  },
  {
    steps: [...scripted(), [11, http('/debian/vmlinuz')]],
    at: 72,
    kind: 'no-initrd',
    what: 'got the kernel debian/vmlinuz, and never asked for the initrd',
    rests: [11],
  },
  {
    steps: FOUR_BOOTS,
    at: 380,
    kind: 'boots-again',
    what: 'boots again and again: 4 in 6 min, the last thing it fetched is debian/my firmware.cpio',
    rests: [0, 360],
  },
  {
    steps: [...booted(), [20, HELD]],
    at: 21,
    kind: 'held',
    what: 'netbooted debian 8 times, and is held at its own disk since 00:00:20',
    rests: [20],
  },
  {
    steps: [...booted(), [20, HELD]],
    at: 7 * 86_400,
    kind: 'held',
    what: 'netbooted debian 8 times, and is held at its own disk since 00:00:20',
    rests: [20],
  },
  {
    steps: [...booted(), [90, { kind: 'machine.report', report: { stage: 'install failed' } }]],
    at: 91,
    kind: 'reported-failure',
    what: 'reports stage "install failed"',
    rests: [90],
  },
  {
    steps: [...booted(), [13, DONE]],
    at: 14,
    kind: 'had-once',
    what: 'boots its own disk: it has had the boot entry debian, which is for once',
    rests: [13],
  },
];

for (const { steps, at, isLocal = false, kind, what, rests } of TROUBLES) {
  test(`${kind}: ${what}`, () => {
    const [trouble, ...more] = troublesAfter(steps, at, { isLocal });
    assert.ok(trouble);
    assert.deepEqual([trouble.kind, trouble.what], [kind, what]);
    assert.deepEqual(
      trouble.events.map((event) => event.at / 1000),
      rests,
    );
    assert.equal(trouble.at, Math.max(...rests) * 1000);
    assert.ok(trouble.why !== '' && trouble.next !== '');
    assert.deepEqual(more, []);
  });
}

test('every rule has its trouble above', () => {
  const told = new Set(TROUBLES.map(({ kind }) => kind));
  assert.deepEqual(
    RULES.map(({ kind }) => kind).filter((kind) => !told.has(kind)),
    [],
  );
});

const FINE: readonly (readonly [title: string, steps: readonly Step[], at: number, isLocal?: boolean])[] = [
  ['a boot that went well', booted(), 3600],
  ['a boot under way, moments after each step', scripted(), 12],
  [
    'an offer that was taken late',
    [
      [0, UEFI],
      [1, OFFER],
      [70, REQUEST],
      [70, ACK],
      [71, tftp('snponly.efi')],
    ],
    75,
  ],
  [
    'an offer of a moment ago',
    [
      [0, UEFI],
      [1, OFFER],
    ],
    60,
  ],
  ['a size probe and the file after it', [...loaded().slice(0, 4), [3, PROBE], [9, tftp('snponly.efi')]], 20],
  [
    'a range that was full and has room again',
    [
      [0, UEFI],
      [0, FULL],
      [9, UEFI],
      [9, OFFER],
    ],
    10,
  ],
  [
    'another server once, and ours now',
    [
      [0, ELSEWHERE],
      [5, REQUEST],
      [5, { kind: 'dhcp.ack' }],
    ],
    100,
  ],
  [
    'two refusals, as of a machine that was carried over',
    [
      [0, NAK],
      [1, NAK],
      [2, { kind: 'dhcp.ack' }],
    ],
    3,
  ],
  ['a kernel that was put there', [...scripted(), [11, missing('/debian/vmlinuz')], ...booted(60)], 75],
  ['files that firmware looks for in vain', [...loaded(), [4, missing('/x.lst')], ...scripted(5).slice(5)], 20],
  ['a machine that is to boot its disk and does', scripted(), 3600, true],
  ['a system that asks for itself', [...scripted(), [60, SYSTEM], [60, OFFER], [61, { kind: 'dhcp.ack' }]], 3600, true],
  [
    'an installed system that knows no netboot',
    [
      [0, SYSTEM],
      [1, OFFER],
      [2, REQUEST],
      [2, { kind: 'dhcp.ack' }],
    ],
    900,
  ],
  ['three boots in ten minutes', [0, 120, 240].flatMap((from) => booted(from)), 260],
  ['four boots in an hour', [0, 900, 1800, 2700].flatMap((from) => booted(from)), 2720],
  [
    'firmware that asks over and over within one boot',
    [...[0, 4, 12, 28].map((at): Step => [at, UEFI]), ...booted(30)],
    50,
  ],
  [
    'a loop that an operator ended',
    [...FOUR_BOOTS, [380, { kind: 'boot.armed', entry: 'debian', because: 'reset' }]],
    390,
  ],
  [
    'trouble of a day ago',
    [
      [0, UEFI],
      [1, OFFER],
    ],
    90_000,
  ],
  ['a kernel that takes minutes to arrive', [...scripted(), [31, SLOW_KERNEL]], 400],
  ['an initrd that takes minutes to arrive', [...scripted(), [11, http('/debian/vmlinuz')], [32, SLOW_INITRD]], 400],
  [
    'a size probe before a transfer that takes minutes',
    [...toldOf(0), [3, PROBE], [23, { kind: 'tftp.under-way', file: 'snponly.efi', bytes: 700, milliseconds: 20_000 }]],
    200,
  ],
  ['a first try that is given up when the second has long arrived', [...booted(), [60, FIRST_TRY]], 300],
  [
    'a try that is given up when something else arrived since',
    [...toldOf(0), [3, FIRST_TRY], [9, tftp('ipxe.efi')]],
    10,
  ],
  ['a disk that was passed by the firmware on its way', [...toldOf(0), ...system(30)], 200, true],
  [
    'a system of a disk that wants the options',
    [...toldOf(0), ...system(30), [40, { kind: 'dhcp.inform' }]],
    200,
    true,
  ],
  [
    'firmware that is to boot its disk, and is told of no loader',
    [
      [0, { kind: 'dhcp.discover', arch: 11 }],
      [1, { kind: 'dhcp.offer', leaseSeconds: 60 }],
      [2, REQUEST],
      [2, { kind: 'dhcp.ack' }],
    ],
    100,
    true,
  ],
  ['firmware that was told days ago and asks anew', [...toldOf(0), [90_000, UEFI], [90_001, OFFER]], 90_005],
  ['a machine that booted its disk before it was to boot another thing', scriptOf('local'), 7200, false],
  [
    'a machine that has its address of another server, and says so',
    [
      [0, { kind: 'dhcp.request', state: 'init-reboot', wanted: '192.0.2.77' }],
      [0, { kind: 'dhcp.ignored', reason: 'we have no record of its address', asked: 'request' }],
    ],
    10,
  ],
  [
    'a laptop that was carried away',
    [
      [0, SYSTEM],
      [1, OFFER],
    ],
    600,
  ],
  [
    'trouble of a time to come, as of a clock that was set',
    [
      [31_536_000, UEFI],
      [31_536_000, FULL],
    ],
    10,
  ],
  ...['failover ready', 'failsafe', 'installed without errors', 'no error', 'error-free'].map(
    (stage): readonly [string, readonly Step[], number] => [
      `a report of "${stage}"`,
      [...booted(), [90, { kind: 'machine.report', report: { stage } }]],
      91,
    ],
  ),
  ['a kernel of the stripped kind, which has no initrd', [...scripted(), [11, http('/rescue/bzImage')]], 900],
];

for (const [title, steps, at, isLocal = false] of FINE) {
  test(`nothing is wrong with ${title}`, () => {
    assert.deepEqual(
      troublesAfter(steps, at, { isLocal }).map(({ what }) => what),
      [],
    );
  });
}

test('nothing is wrong with a machine that takes its address of a server the file knows', () => {
  const steps: readonly Step[] = [
    [0, UEFI],
    [1, OFFER],
    [2, REQUEST],
    [2, ELSEWHERE],
  ];
  assert.deepEqual(troublesAfter(steps, 3, { knownServers: ['10.0.0.9'] }), []);
});

test('what one card never did is no trouble once another card of the machine went on', () => {
  assert.deepEqual(troublesAfter(loaded(), 200, { otherCardAt: 9_000 }), []);
  assert.equal(troublesAfter(loaded(), 200, { otherCardAt: 2_000 })[0]?.kind, 'no-script');
  const missed: readonly Step[] = [...scripted(), [11, missing('/debian/vmlinuz')]];
  assert.equal(troublesAfter(missed, 12, { otherCardAt: 12_000 })[0]?.kind, 'file-missing');
});

test('what an operator is told to do next can be typed as it stands', () => {
  const commands = TROUBLES.flatMap(({ steps, at, isLocal = false }) =>
    troublesAfter(steps, at, { isLocal }).flatMap(({ next }) => [...next.matchAll(/`rackboot ([^`]+)`/g)]),
  ).map(([, command = '']) => command);
  const ofMachines = commands.filter((command) => /^(?:capture|explain)/.test(command));
  assert.ok(ofMachines.length > 5);
  assert.deepEqual(
    ofMachines.filter((command) => !/^(?:capture|explain) --mac 52:54:00:12:34:56(?: --arch \d+)?$/.test(command)),
    [],
  );
});

test('notes come behind troubles, and are told apart', () => {
  const troubles = troublesAfter([[0, DONE], ...FOUR_BOOTS], 380, { isLocal: true });
  assert.deepEqual(
    troubles.map(({ kind, isNote }) => [kind, isNote]),
    [
      ['boots-again', false],
      ['had-once', true],
    ],
  );
  assert.match(troubles[0]?.why ?? '', /its own disk and comes back/);
});

test('an iPXE that is told its script and never asks for it is told of by its URL', () => {
  const [trouble] = troublesAfter(
    [
      [0, IPXE],
      [1, OFFER],
      [2, REQUEST],
      [2, { kind: 'dhcp.ack', bootFile: 'http://192.0.2.1:5248/boot.ipxe' }],
    ],
    100,
  );
  assert.equal(trouble?.kind, 'not-fetched');
  assert.match(trouble.why, /HTTP to this rack is blocked/);
});
