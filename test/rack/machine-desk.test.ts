import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseMac, type Mac } from '../../src/addr/mac.ts';
import { freshRow } from '../../src/boots/boot-row.ts';
import { MachineDesk } from '../../src/rack/machine-desk.ts';
import type { LeaseFact } from '../../src/service/letters.ts';
import type { RackEvent } from '../../src/timeline/event.ts';
import { ip4, testPlan } from '../boot/boot-plan-fixture.ts';
import {
  booted,
  eventsOf,
  http,
  loaded,
  MAC,
  missing,
  OFFER,
  scripted,
  UEFI,
  type Step,
} from '../story/story-fixture.ts';

const CARD = '00:11:22:33:44:55';
const OTHER = '52:54:00:00:00:09';

const WATCHED = { ...testPlan(), watch: { avoidsUsed: true, dhcpServers: [ip4('10.0.0.9')] } };

class Bench {
  now = 20_000;
  leases: LeaseFact[] = [];
  rows: ReturnType<typeof freshRow>[] = [];
  readonly desk = new MachineDesk(
    {
      clock: { now: () => this.now },
      leases: { facts: () => this.leases },
      boots: { rows: () => this.rows },
      vendorOf: (mac) => (mac === macOf(CARD) ? 'Acme, Inc.' : undefined),
      later: setImmediate,
    },
    WATCHED,
  );

  learn(steps: readonly Step[], mac = MAC): this {
    for (const event of eventsOf(steps)) this.desk.learn({ ...event, mac });
    return this;
  }

  line(mac = MAC): object | undefined {
    return this.desk.lines().find((line) => line.mac === mac);
  }
}

function macOf(text: string): Mac {
  const mac = parseMac(text);
  assert.ok(mac !== undefined);
  return mac;
}

test('a machine has one line: its name, where it is in its boot, when it was seen and what is wrong', () => {
  const bench = new Bench().learn([...scripted(), [11, missing('/debian/vmlinuz')]]);
  assert.deepEqual(bench.line(), {
    name: 'node1',
    mac: MAC,
    address: '192.0.2.5',
    stage: 'script',
    lastSeen: '1970-01-01T00:00:11.000Z',
    trouble: {
      kind: 'file-missing',
      what: 'got the loader snponly.efi, got its script, kernel missing: debian/vmlinuz',
    },
  });
});

test('hosts that nobody has heard of are there too, and machines without a name come last', () => {
  const bench = new Bench().learn(booted(), OTHER);
  assert.deepEqual(
    bench.desk.lines().map(({ name, mac, stage }) => [name, mac, stage]),
    [
      ['node1', '52:54:00:12:34:56', 'unseen'],
      ['node1', '52:54:00:12:34:57', 'unseen'],
      ['node2', '52:54:00:00:00:02', 'unseen'],
      [undefined, OTHER, 'initrd'],
    ],
  );
});

test('a lease of which the timeline tells no more is a machine still, and gives it its name', () => {
  const bench = new Bench();
  bench.leases = [{ address: ip4('192.0.2.77'), mac: macOf(OTHER), name: 'web' }];
  assert.deepEqual(bench.line(OTHER), { name: 'web', mac: OTHER, address: '192.0.2.77', stage: 'leased' });
});

const LOCAL: readonly (readonly [title: string, prepare: (bench: Bench) => void, mac: string])[] = [
  ['by the file', () => {}, '52:54:00:00:00:02'],
  ['as an unknown machine does', () => {}, OTHER],
  [
    'as it has had its entry',
    (bench) =>
      bench.rows.push({
        ...freshRow({ mac: macOf(MAC), entry: 'debian' }),
        state: { kind: 'done', by: 'delivered', since: 1 },
      }),
    MAC,
  ],
];

for (const [title, prepare, mac] of LOCAL) {
  test(`a machine that boots its disk ${title} is on its way there when it has its script, and nothing is wrong`, () => {
    const bench = new Bench().learn(scripted(), mac);
    prepare(bench);
    bench.now = 3_600_000;
    const line = bench.line(mac);
    assert.deepEqual([line && 'stage' in line && line.stage, line && 'trouble' in line], ['local', false]);
  });
}

test('a machine is found by MAC, by the name of its host, by address and by the name of its lease', () => {
  const bench = new Bench().learn(loaded()).learn(loaded(), OTHER);
  bench.leases = [{ address: ip4('192.0.2.77'), mac: macOf(OTHER), name: 'web' }];
  const found = (of: string): string[] => bench.desk.stories(of).map(({ mac }) => mac);
  assert.deepEqual(found('52-54-00-12-34-56'), [MAC]);
  assert.deepEqual(found('NODE1'), [MAC, '52:54:00:12:34:57']);
  assert.deepEqual([found('web'), found('192.0.2.77'), found(OTHER)], [[OTHER], [OTHER], [OTHER]]);
  assert.deepEqual([found('nobody'), found('52:54:00:00:00:ff'), found('192.0.2.78')], [[], [], []]);
});

/** What the watch says of the card that uses an address. */
function began(
  grievance: Pick<Extract<RackEvent, { kind: 'conflict.began' }>, 'conflict' | 'other' | 'host'>,
  at = 30,
) {
  const where = { interface: 'eth0', mac: CARD, address: '192.0.2.5', source: 'watch' } as const;
  return { kind: 'conflict.began', ...where, ...grievance, at: at * 1000 } satisfies RackEvent;
}

const OF_CARD = `${CARD} (Acme, Inc.)`;

const USED: readonly (readonly [title: string, grievance: Parameters<typeof began>[0]])[] = [
  ['its lease’s', { conflict: 'leased-address', other: MAC }],
  ['its host’s', { conflict: 'host-address', host: 'node1' }],
  ['its own, and another’s as well', { conflict: 'two-machines', other: MAC }],
];

for (const [title, grievance] of USED) {
  test(`a machine is told of with who uses an address that is ${title}, until that is over`, () => {
    const bench = new Bench().learn(booted());
    bench.desk.learn(began(grievance));
    // However long it lasts
    bench.now = 40 * 86_400_000;
    const [trouble, ...more] = bench.desk.stories(MAC)[0]?.troubles ?? [];
    assert.deepEqual(
      [trouble?.kind, trouble?.what, more],
      ['address-in-use', `is to have 192.0.2.5, and ${OF_CARD} uses it`, []],
    );
    assert.equal(bench.desk.count().byKind['address-in-use'], title === 'its host’s' ? 2 : 1);
    bench.desk.learn({ ...began(grievance), kind: 'conflict.ended', seconds: 9 });
    assert.deepEqual(bench.desk.stories(MAC)[0]?.troubles, []);
  });
}

test('what a watch saw that is switched off since is told of no more', () => {
  const bench = new Bench().learn(booted());
  bench.desk.learn(began({ conflict: 'leased-address', other: MAC }));
  bench.desk.apply(testPlan());
  assert.deepEqual(bench.desk.stories(MAC)[0]?.troubles, []);
});

test('a server that the file knows is none that a machine should not have chosen', () => {
  const bench = new Bench().learn([
    [0, UEFI],
    [1, OFFER],
  ]);
  bench.learn([[5, { kind: 'dhcp.ignored', reason: 'it chose another', server: '10.0.0.9' }]], OTHER);
  bench.now = 70_000;
  assert.equal(bench.desk.stories(OTHER)[0]?.trouble, undefined);
  assert.doesNotMatch(bench.desk.stories(MAC)[0]?.trouble?.what ?? '', /10\.0\.0\.9/);
});

test('who uses an address that a machine declined is told by name and maker, as soon as the wire shows it', () => {
  const bench = new Bench().learn([
    [0, UEFI],
    [1, { kind: 'dhcp.decline' }],
  ]);
  const what = (): string | undefined => bench.desk.stories(MAC)[0]?.troubles[0]?.what;
  assert.equal(what(), 'declined 192.0.2.5: somebody else uses it');
  bench.leases = [{ address: ip4('192.0.2.9'), mac: macOf(CARD), name: 'printer' }];
  bench.desk.learn(began({ conflict: 'squatted' }));
  assert.equal(what(), `declined 192.0.2.5: ${CARD} (printer, Acme, Inc.) uses it`);
  assert.deepEqual(
    bench.desk.stories(MAC)[0]?.troubles.map(({ kind, events }) => [kind, events.map(({ at }) => at)]),
    [['declined', [1_000, 30_000]]],
  );
});

test('machines in trouble are counted, each once, by what it is; a note is no trouble', () => {
  const bench = new Bench().learn([
    [0, UEFI],
    [1, OFFER],
  ]);
  bench.learn([...booted(), [13, { kind: 'boot.done', entry: 'debian', by: 'delivered' }]], OTHER);
  assert.deepEqual(bench.desk.count(), { machines: 2, inTrouble: 0, byKind: {} });
  bench.now = 70_000;
  assert.deepEqual(bench.desk.count(), { machines: 2, inTrouble: 1, byKind: { 'offer-not-taken': 1 } });
  assert.deepEqual(
    bench.desk.stories(OTHER).map(({ troubles }) => troubles.map(({ kind }) => kind)),
    [['had-once']],
  );
});

test('a machine whose loader goes on by its other card is not stuck', () => {
  const bench = new Bench().learn(loaded());
  bench.now = 200_000;
  assert.equal(bench.desk.stories(MAC)[0]?.troubles[0]?.kind, 'no-script');
  bench.learn(scripted(20).slice(-1), '52:54:00:12:34:57');
  assert.deepEqual(bench.desk.stories(MAC)[0]?.troubles, []);
});

test('a machine that was sent to its disk is on its way there, whatever it is to boot the next time', () => {
  const bench = new Bench().learn([...loaded(), [10, http(`/ipxe/${MAC}`, 'local')]]);
  bench.now = 7_200_000;
  const line = bench.line();
  assert.deepEqual([line && 'stage' in line && line.stage, line && 'trouble' in line], ['local', false]);
});

test('an offer that nobody takes is told with the other server that machines chose of late', () => {
  const bench = new Bench().learn([
    [0, UEFI],
    [1, OFFER],
  ]);
  bench.learn([[5, { kind: 'dhcp.ignored', reason: 'it chose another', server: '10.0.0.8' }]], OTHER);
  const what = (now: number): string | undefined => {
    bench.now = now;
    return bench.desk.stories(MAC)[0]?.troubles[0]?.what;
  };
  const alone = 'was offered 192.0.2.5 once, last at 00:00:01, and never asked for it';
  assert.equal(what(70_000), `${alone}; another DHCP server (10.0.0.8) answers here too`);
  assert.equal(what(2 * 3_600_000), alone);
});

test('what happened before a start is read first, in slices, and what comes meanwhile after it, once', async () => {
  const bench = new Bench();
  const past: RackEvent[] = [
    ...eventsOf(Array.from({ length: 1_100 }, (_, at): Step => [at / 1000, { kind: 'dhcp.nak', reason: 'r' }])),
    ...eventsOf(loaded(2)),
  ];
  const pages: number[] = [];
  const restored = bench.desk.restore(
    {
      newest: () => past.length,
      page: (after, until, limit) => {
        const events = past.slice(after, Math.min(until, after + limit));
        pages.push(events.length);
        return { events, last: after + events.length };
      },
    },
    assert.ifError,
  );
  bench.learn([[11, missing('/debian/vmlinuz')]]);
  assert.deepEqual(pages, [500]);
  await restored;
  assert.deepEqual(pages, [500, 500, 105]);
  const [story] = bench.desk.stories(MAC);
  assert.equal(story?.troubles[0]?.what, 'got the loader snponly.efi, kernel missing: debian/vmlinuz');
});

test('a timeline that can not be read costs the past, and is complained of', async () => {
  const bench = new Bench();
  const complaints: unknown[] = [];
  const broken = {
    newest: () => 5,
    page: () => {
      throw new Error('disk I/O error');
    },
  };
  const restored = bench.desk.restore(broken, (error) => complaints.push(error));
  bench.learn(loaded());
  await restored;
  assert.match(String(complaints), /disk I\/O error/);
  assert.equal(bench.desk.lines().find(({ mac }) => mac === MAC)?.stage, 'loader');
});
