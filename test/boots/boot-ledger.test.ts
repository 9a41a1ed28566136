import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { BootLedger } from '../../src/boots/boot-ledger.ts';
import type { BootRow } from '../../src/boots/boot-row.ts';
import type { BootSign } from '../../src/boots/boot-sign.ts';
import type { BootEntry, Host, Plan } from '../../src/plan/plan.ts';
import { DEBIAN, ip4, mac, testPlan } from '../boot/boot-plan-fixture.ts';

const NODE1 = mac('52:54:00:12:34:56');
/** The other card of node1. */
const NODE1_TOO = mac('52:54:00:12:34:57');
const OTHER = mac('02:00:00:00:00:01');
const ADDRESS = ip4('192.0.2.21');
const LOOP = { boots: 3, withinSeconds: 3600, quietSeconds: 7200 };
const [KERNEL, INITRD, FIRMWARE] = [DEBIAN.kernel, ...DEBIAN.initrd].map(({ file }) => file);
const NEXT: BootEntry = { ...DEBIAN, name: 'next' };

type Loose<T> = T extends unknown ? Partial<T> & { readonly kind: T extends { kind: infer K } ? K : never } : never;

function planOf(once?: BootEntry['once'], boot: Partial<Plan['boot']> = {}, hosts?: readonly Host[]): Plan {
  const entry = once === undefined ? DEBIAN : { ...DEBIAN, once };
  return testPlan({ entries: [entry, NEXT], loop: LOOP, ...boot }, hosts);
}

/** A ledger, and hands to move its clock. */
class Desk {
  now = 1_700_000_000_000;
  readonly ledger: BootLedger;
  readonly turns: string[] = [];
  disk = new Map<string, BootRow>();

  constructor(plan: Plan, rows: Iterable<BootRow> = [], lostSince?: number) {
    this.ledger = new BootLedger({ now: () => this.now, steady: () => this.now }, plan, rows, lostSince);
    for (const row of rows) this.disk.set(`${row.mac} ${row.entry}`, row);
  }

  /** Everything on disk, and a rack that reads it. */
  restarted(plan: Plan): Desk {
    this.settle();
    const next = new Desk(plan, [...this.disk.values()], this.ledger.lostSince);
    next.now = this.now;
    return next;
  }

  settle(): void {
    const { rows, turns } = this.ledger.take();
    for (const [key, row] of rows) {
      if (row) this.disk.set(`${key.mac} ${key.entry}`, row);
      else this.disk.delete(`${key.mac} ${key.entry}`);
    }
    for (const [, turn] of turns) this.turns.push(turn.kind === 'boot.armed' ? `armed: ${turn.because}` : turn.kind);
  }

  sign(sign: Loose<BootSign>): this {
    const whole = { address: ADDRESS, first: 0, last: 99, size: 100, ...sign } as BootSign;
    this.ledger.learn(whole);
    this.settle();
    return this;
  }

  script(who = NODE1, entry: string | undefined = 'debian', of = who): this {
    return this.sign({ kind: 'script', of, mac: who, ...(entry !== '' && { entry }) });
  }

  files(who = NODE1, files = [KERNEL, INITRD, FIRMWARE]): this {
    for (const file of files) this.sign({ kind: 'file', file: file ?? '', mac: who });
    return this;
  }

  /** Boots after so many minutes. */
  boot(minutes: number, who = NODE1): this {
    this.now += minutes * 60_000;
    return this.script(who).files(who);
  }

  state(who = NODE1, entry = 'debian'): string {
    const row = this.ledger.rows().find((each) => each.mac === who && each.entry === entry);
    return row ? row.state.kind : 'none';
  }
}

function delivered(): Desk {
  return new Desk(planOf('delivered'));
}

function reported(): Desk {
  return new Desk(planOf('reported'));
}

function report(rack: Desk, stage = 'installed'): Desk {
  return rack.sign({ kind: 'report', mac: NODE1, stage });
}

/** Files to an address that no lease tells of. */
function nameless(rack: Desk): Desk {
  for (const file of [KERNEL, INITRD, FIRMWARE]) rack.sign({ kind: 'file', file: file ?? '' });
  return rack;
}

describe('an entry until it was delivered', () => {
  test('is done when the script and then every file were sent, in any order', () => {
    const rack = delivered().script().files(NODE1, [FIRMWARE, KERNEL]);
    assert.equal(rack.state(), 'armed');
    assert.equal(rack.files(NODE1, [INITRD]).state(), 'done');
    assert.deepEqual(rack.turns, ['boot.done']);
    assert.deepEqual(rack.ledger.news().set, [
      { mac: NODE1, entry: 'debian', state: { kind: 'done', by: 'delivered', since: rack.now } },
    ]);
  });

  const NOT_DONE: readonly (readonly [string, (rack: Desk) => Desk])[] = [
    ['files before the script', (rack) => rack.files().script().files(NODE1, [KERNEL])],
    [
      'files of the boot before',
      (rack) => rack.script().files(NODE1, [KERNEL]).script().files(NODE1, [INITRD, FIRMWARE]),
    ],
    ['files of another machine', (rack) => rack.script().files(OTHER)],
    ['a script that another machine asked for', (rack) => rack.script(OTHER, 'debian', NODE1).files(NODE1)],
    [
      'a script that nobody known asked for',
      (rack) => rack.sign({ kind: 'script', of: NODE1, entry: 'debian' }).files(),
    ],
    [
      'a part of a file',
      (rack) =>
        rack
          .script()
          .files(NODE1, [INITRD, FIRMWARE])
          .sign({ kind: 'file', file: KERNEL ?? '', mac: NODE1, last: 98 }),
    ],
    ['a report', (rack) => rack.script().sign({ kind: 'report', mac: NODE1, stage: 'installed' })],
    ['another file thrice', (rack) => rack.script().files(NODE1, [KERNEL, KERNEL, KERNEL])],
    ['a script that says the own disk', (rack) => rack.script(NODE1, '').files()],
  ];
  for (const [what, how] of NOT_DONE)
    test(`is not done by ${what}`, () => assert.notEqual(how(delivered()).state(), 'done'));

  test('is done by parts that together are the file', () => {
    const rack = delivered().script().files(NODE1, [INITRD, FIRMWARE]);
    const kernel = { kind: 'file', file: KERNEL ?? '', mac: NODE1 } as const;
    rack.sign({ ...kernel, first: 50, last: 99 }).sign({ ...kernel, first: 0, last: 49 });
    assert.equal(rack.state(), 'done');
  });

  test('is done for the host when another card of it fetches', () => {
    const rack = delivered().script(NODE1_TOO, 'debian', NODE1).files(NODE1);
    assert.equal(rack.state(NODE1_TOO), 'done');
  });

  test('is done for a machine that no host has', () => {
    assert.equal(delivered().script(OTHER).files(OTHER).state(OTHER), 'done');
  });

  test('is not done for who fetches the script of another machine, and its files', () => {
    assert.equal(delivered().script(OTHER, 'debian', NODE1).files(OTHER).state(OTHER), 'none');
  });

  test('is remembered over a restart, half way and after', () => {
    const half = delivered().script().files(NODE1, [KERNEL]).restarted(planOf('delivered'));
    assert.equal(half.files(NODE1, [INITRD, FIRMWARE]).state(), 'done');
    assert.equal(half.restarted(planOf('delivered')).state(), 'done');
  });

  test('is done where only the address of the script tells whose the files are, for an hour', () => {
    assert.equal(nameless(delivered().script().restarted(planOf('delivered'))).state(), 'done');
    const late = delivered().script();
    late.now += 3_600_001;
    assert.equal(nameless(late).state(), 'armed');
  });

  test('is had once: another entry is netbooted, and this one not again when it comes back', () => {
    const rack = delivered().boot(0);
    rack.ledger.apply(planOf('delivered', { default: 'next' }));
    rack.script(NODE1, 'next').files();
    assert.deepEqual([rack.state(), rack.state(NODE1, 'next')], ['done', 'armed']);
  });

  test('is netbooted again after a reset, and done again by the next delivery', () => {
    const rack = delivered().boot(0);
    assert.deepEqual(
      rack.ledger.reset([{ mac: NODE1 }]).map(({ entry }) => entry),
      ['debian'],
    );
    rack.settle();
    assert.deepEqual([rack.state(), rack.disk.size, rack.turns.at(-1)], ['none', 0, 'armed: reset']);
    assert.equal(rack.boot(5).state(), 'done');
    assert.deepEqual(rack.ledger.reset([{ mac: OTHER }]), []);
  });
});

describe('an entry until it was reported', () => {
  test('is done when its machine says that it is installed, and by no other word', () => {
    const rack = report(reported().script().files(), 'partitioning');
    assert.equal(rack.state(), 'armed');
    assert.equal(report(rack).state(), 'done');
  });

  test('is not done by who was not given the script since a reset', () => {
    assert.equal(report(reported()).state(), 'none');
    const rack = report(reported().script());
    rack.ledger.reset([{ mac: NODE1 }]);
    assert.equal(report(rack).state(), 'none');
  });

  test('is not done by the report of a machine that was given another entry since', () => {
    const rack = reported().script();
    rack.now += 1;
    assert.equal(report(rack.script(NODE1, 'next')).state(), 'armed');
  });
});

describe('a machine that netboots over and over', () => {
  test('is held after so many boots in so long, and told of once', () => {
    const rack = new Desk(planOf()).boot(0).boot(10);
    assert.equal(rack.state(), 'armed');
    assert.equal(rack.boot(10).state(), 'held');
    assert.deepEqual(rack.turns, ['boot.held']);
  });

  test('is not held for boots that lie further apart', () => {
    const rack = new Desk(planOf()).boot(0).boot(31).boot(31).boot(31).boot(31);
    assert.equal(rack.state(), 'armed');
  });

  test('is not held for scripts that one boot fetches, or tries again', () => {
    const rack = new Desk(planOf());
    for (let i = 0; i < 20; i++) rack.script().script();
    for (let i = 0; i < 5; i++) rack.files();
    for (let i = 0; i < 2; i++) rack.boot(0.1);
    assert.equal(rack.state(), 'armed');
  });

  test('is not held for boots that never got all of their files: nothing was installed', () => {
    const rack = new Desk(planOf());
    for (let i = 0; i < 10; i++) {
      rack.now += 60_000;
      rack.script().files(NODE1, [KERNEL, INITRD]);
    }
    assert.equal(rack.state(), 'armed');
  });

  test('is held also where it fetches in parts', () => {
    const rack = new Desk(planOf());
    for (let i = 0; i < 3; i++) {
      rack.now += 60_000;
      rack.script();
      for (const file of [KERNEL, INITRD, FIRMWARE]) rack.sign({ kind: 'file', file: file ?? '', mac: NODE1, last: 5 });
    }
    assert.equal(rack.state(), 'held');
  });

  test('is held over a restart, whose time counts', () => {
    const rack = new Desk(planOf()).boot(0).boot(10).restarted(planOf()).boot(10);
    assert.equal(rack.restarted(planOf()).state(), 'held');
  });

  test('is netbooted again when it has not asked for long, and not while it asks', () => {
    const rack = new Desk(planOf()).boot(0).boot(10).boot(10);
    for (let i = 0; i < 5; i++) {
      rack.now += 7_000_000;
      rack.script(NODE1, '');
      rack.ledger.tick();
      assert.equal(rack.state(), 'held');
    }
    rack.now += 7_200_000;
    rack.ledger.tick();
    rack.settle();
    assert.deepEqual([rack.state(), rack.turns.at(-1)], ['armed', 'armed: quiet']);
    assert.equal(rack.boot(1).boot(10).state(), 'armed');
  });

  test('is netbooted again when what it boots changes, or loops are allowed, and not by any other change', () => {
    for (const changed of [planOf(undefined, {}, [{ name: 'node1', macs: [NODE1], boot: 'next' }]), testPlan()]) {
      const rack = new Desk(planOf()).boot(0).boot(10).boot(10);
      rack.ledger.apply(planOf('delivered'));
      assert.equal(rack.state(), 'held');
      rack.ledger.apply(changed);
      rack.settle();
      assert.deepEqual([rack.state(), rack.turns.at(-1)], ['armed', 'armed: changed']);
    }
  });

  test('stays held where its host is known by another sign than its MAC', () => {
    const plan = planOf(undefined, {}, [{ name: 'node3', macs: [], circuitIds: ['07'], boot: 'debian' }]);
    const rack = new Desk(plan);
    for (let i = 0; i < 3; i++) {
      rack.now += 60_000;
      rack.sign({ kind: 'script', of: OTHER, mac: OTHER, entry: 'debian', host: 'node3' }).files(OTHER);
    }
    rack.ledger.apply(plan);
    assert.equal(rack.state(OTHER), 'held');
  });

  test('is netbooted again after a reset, its boots counted from none', () => {
    const rack = new Desk(planOf()).boot(0).boot(10).boot(10);
    rack.ledger.reset([{ mac: NODE1 }]);
    rack.settle();
    assert.equal(rack.boot(1).boot(1).state(), 'armed');
  });

  test('is not held where its entry is netbooted without end, and goes on when that is said of one it is held on', () => {
    const endless = planOf(undefined, { entries: [{ ...DEBIAN, isEndless: true }, NEXT] });
    const rack = new Desk(endless);
    for (let i = 0; i < 50; i++) rack.boot(1);
    assert.equal(rack.state(), 'armed');
    assert.ok((rack.ledger.rows()[0]?.boots.length ?? 0) < 3);
    const held = new Desk(planOf()).boot(0).boot(10).boot(10);
    held.ledger.apply(endless);
    held.settle();
    assert.deepEqual([held.state(), held.turns.at(-1)], ['armed', 'armed: changed']);
  });

  test('is never held where loops are allowed', () => {
    const rack = new Desk(testPlan());
    for (let i = 0; i < 50; i++) rack.boot(1);
    assert.equal(rack.state(), 'armed');
    assert.ok((rack.ledger.rows()[0]?.boots.length ?? 0) < 3);
  });
});

test('services are told when a state turns, and not of each step of a boot', () => {
  const { ledger } = new Desk(planOf());
  const doer = { mac: NODE1, address: ADDRESS };
  const script = { kind: 'script', of: NODE1, entry: 'debian', ...doer } as const;
  ledger.learn(script);
  ledger.learn({ kind: 'file', file: KERNEL ?? '', first: 0, last: 9, size: 10, ...doer });
  const { rows, news } = ledger.take();
  assert.deepEqual([rows.length, news], [1, { set: [], cleared: [] }]);
});

describe('a memory that was lost', () => {
  test('is told to the services with what is known, until all is armed', () => {
    const rack = new Desk(planOf('delivered'), [], 5);
    assert.deepEqual(rack.ledger.news(), { set: [], cleared: [], lostSince: 5 });
    assert.deepEqual(
      rack.ledger.reset([{ mac: NODE1 }]).map(({ entry }) => entry),
      ['debian'],
    );
    rack.settle();
    assert.deepEqual(rack.ledger.news().set, [{ mac: NODE1, entry: 'debian', state: { kind: 'armed' } }]);
    assert.equal(rack.boot(0).state(), 'done');
    rack.ledger.resetAll();
    assert.deepEqual(rack.ledger.take().news, { set: [], cleared: [{ mac: NODE1, entry: 'debian' }] });
    assert.equal(rack.ledger.lostSince, undefined);
  });
});

test('a clock that was ahead is not believed for ever', () => {
  const ahead = new Desk(planOf());
  ahead.now += 10 ** 12;
  ahead.boot(0).boot(10).boot(10);
  const rack = new Desk(planOf(), ahead.ledger.rows());
  rack.now += 7_200_000;
  rack.ledger.tick();
  rack.settle();
  assert.equal(rack.state(), 'armed');
});

const IMAGE_A: BootEntry = {
  name: 'debian',
  once: 'delivered',
  kernel: { path: 'images/a/k', file: '/a' },
  initrd: [],
  cmdline: '',
};
const IMAGE_B: BootEntry = { ...IMAGE_A, kernel: { path: 'images/b/k', file: '/b' } };

test('a machine that was told of an image before it was replaced, and fetched that, has had it', () => {
  const desk = new Desk(planOf(undefined, { entries: [IMAGE_A, NEXT] }));
  desk.sign({ kind: 'script', of: NODE1, entry: 'debian', mac: NODE1 });
  desk.ledger.apply(planOf(undefined, { entries: [IMAGE_B, NEXT] }));
  desk.sign({ kind: 'file', file: '/a', mac: NODE1 });
  assert.deepEqual(desk.turns, ['boot.done']);
});

function pair(x: string): Pick<BootEntry, 'kernel' | 'initrd' | 'cmdline'> {
  return { kernel: { path: x, file: `/${x}k` }, initrd: [{ path: x, file: `/${x}i` }], cmdline: '' };
}

test('a device tree that no loader asked for leaves nothing undelivered', () => {
  const dtb = { path: 'd', file: '/d' };
  const entry: BootEntry = { name: 'debian', once: 'delivered', ...pair('x86'), dtb };
  const desk = new Desk(planOf(undefined, { entries: [entry, NEXT] }));
  desk.sign({ kind: 'script', of: NODE1, entry: 'debian', mac: NODE1 });
  desk.sign({ kind: 'file', file: '/d', mac: NODE1 }).sign({ kind: 'file', file: '/x86k', mac: NODE1 });
  assert.deepEqual(desk.turns, []);
  desk.sign({ kind: 'file', file: '/x86i', mac: NODE1 });
  assert.deepEqual(desk.turns, ['boot.done']);
});

test('files of two architectures are no whole boot together', () => {
  const entry: BootEntry = { name: 'debian', once: 'delivered', ...pair('x86'), others: { arm64: pair('arm') } };
  const desk = new Desk(planOf(undefined, { entries: [entry, NEXT] }));
  desk.sign({ kind: 'script', of: NODE1, entry: 'debian', mac: NODE1 });
  desk.sign({ kind: 'file', file: '/x86k', mac: NODE1 }).sign({ kind: 'file', file: '/armi', mac: NODE1 });
  assert.deepEqual(desk.turns, []);
  desk.sign({ kind: 'file', file: '/armk', mac: NODE1 });
  assert.deepEqual(desk.turns, ['boot.done']);
});
