import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

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

describe('an entry until it was delivered', () => {
  const desk = (): Desk => new Desk(planOf('delivered'));

  it('is done when the script and then every file were sent, in any order', () => {
    const it = desk().script().files(NODE1, [FIRMWARE, KERNEL]);
    assert.equal(it.state(), 'armed');
    assert.equal(it.files(NODE1, [INITRD]).state(), 'done');
    assert.deepEqual(it.turns, ['boot.done']);
    assert.deepEqual(it.ledger.news().set, [
      { mac: NODE1, entry: 'debian', state: { kind: 'done', by: 'delivered', since: it.now } },
    ]);
  });

  const NOT_DONE: readonly (readonly [string, (it: Desk) => Desk])[] = [
    ['files before the script', (it) => it.files().script().files(NODE1, [KERNEL])],
    ['files of the boot before', (it) => it.script().files(NODE1, [KERNEL]).script().files(NODE1, [INITRD, FIRMWARE])],
    ['files of another machine', (it) => it.script().files(OTHER)],
    ['a script that another machine asked for', (it) => it.script(OTHER, 'debian', NODE1).files(NODE1)],
    ['a script that nobody known asked for', (it) => it.sign({ kind: 'script', of: NODE1, entry: 'debian' }).files()],
    [
      'a part of a file',
      (it) =>
        it
          .script()
          .files(NODE1, [INITRD, FIRMWARE])
          .sign({ kind: 'file', file: KERNEL ?? '', mac: NODE1, last: 98 }),
    ],
    ['a report', (it) => it.script().sign({ kind: 'report', mac: NODE1, stage: 'installed' })],
    ['another file thrice', (it) => it.script().files(NODE1, [KERNEL, KERNEL, KERNEL])],
    ['a script that says the own disk', (it) => it.script(NODE1, '').files()],
  ];
  for (const [what, how] of NOT_DONE) it(`is not done by ${what}`, () => assert.notEqual(how(desk()).state(), 'done'));

  it('is done by parts that together are the file', () => {
    const it = desk().script().files(NODE1, [INITRD, FIRMWARE]);
    const kernel = { kind: 'file', file: KERNEL ?? '', mac: NODE1 } as const;
    it.sign({ ...kernel, first: 50, last: 99 }).sign({ ...kernel, first: 0, last: 49 });
    assert.equal(it.state(), 'done');
  });

  it('is done for the host when another card of it fetches', () => {
    const it = desk().script(NODE1_TOO, 'debian', NODE1).files(NODE1);
    assert.equal(it.state(NODE1_TOO), 'done');
  });

  it('is done for a machine that no host has', () => {
    assert.equal(desk().script(OTHER).files(OTHER).state(OTHER), 'done');
  });

  it('is remembered over a restart, half way and after', () => {
    const half = desk().script().files(NODE1, [KERNEL]).restarted(planOf('delivered'));
    assert.equal(half.files(NODE1, [INITRD, FIRMWARE]).state(), 'done');
    assert.equal(half.restarted(planOf('delivered')).state(), 'done');
  });

  it('is done where only the address of the script tells whose the files are, for an hour', () => {
    const nameless = (it: Desk): Desk => {
      for (const file of [KERNEL, INITRD, FIRMWARE]) it.sign({ kind: 'file', file: file ?? '' });
      return it;
    };
    assert.equal(nameless(desk().script().restarted(planOf('delivered'))).state(), 'done');
    const late = desk().script();
    late.now += 3_600_001;
    assert.equal(nameless(late).state(), 'armed');
  });

  it('is had once: another entry is netbooted, and this one not again when it comes back', () => {
    const it = desk().boot(0);
    it.ledger.apply(planOf('delivered', { default: 'next' }));
    it.script(NODE1, 'next').files();
    assert.deepEqual([it.state(), it.state(NODE1, 'next')], ['done', 'armed']);
  });

  it('is netbooted again after a reset, and done again by the next delivery', () => {
    const it = desk().boot(0);
    assert.deepEqual(
      it.ledger.reset([{ mac: NODE1 }]).map(({ entry }) => entry),
      ['debian'],
    );
    it.settle();
    assert.deepEqual([it.state(), it.disk.size, it.turns.at(-1)], ['none', 0, 'armed: reset']);
    assert.equal(it.boot(5).state(), 'done');
    assert.deepEqual(it.ledger.reset([{ mac: OTHER }]), []);
  });
});

describe('an entry until it was reported', () => {
  const desk = (): Desk => new Desk(planOf('reported'));
  const report = (it: Desk, stage = 'installed'): Desk => it.sign({ kind: 'report', mac: NODE1, stage });

  it('is done when its machine says that it is installed, and by no other word', () => {
    const it = report(desk().script().files(), 'partitioning');
    assert.equal(it.state(), 'armed');
    assert.equal(report(it).state(), 'done');
  });

  it('is not done by who was not given the script since a reset', () => {
    assert.equal(report(desk()).state(), 'none');
    const it = report(desk().script());
    it.ledger.reset([{ mac: NODE1 }]);
    assert.equal(report(it).state(), 'none');
  });

  it('is not done by the report of a machine that was given another entry since', () => {
    const it = desk().script();
    it.now += 1;
    assert.equal(report(it.script(NODE1, 'next')).state(), 'armed');
  });
});

describe('a machine that netboots over and over', () => {
  it('is held after so many boots in so long, and told of once', () => {
    const it = new Desk(planOf()).boot(0).boot(10);
    assert.equal(it.state(), 'armed');
    assert.equal(it.boot(10).state(), 'held');
    assert.deepEqual(it.turns, ['boot.held']);
  });

  it('is not held for boots that lie further apart', () => {
    const it = new Desk(planOf()).boot(0).boot(31).boot(31).boot(31).boot(31);
    assert.equal(it.state(), 'armed');
  });

  it('is not held for scripts that one boot fetches, or tries again', () => {
    const it = new Desk(planOf());
    for (let i = 0; i < 20; i++) it.script().script();
    for (let i = 0; i < 5; i++) it.files();
    for (let i = 0; i < 2; i++) it.boot(0.1);
    assert.equal(it.state(), 'armed');
  });

  it('is not held for boots that never got all of their files: nothing was installed', () => {
    const it = new Desk(planOf());
    for (let i = 0; i < 10; i++) {
      it.now += 60_000;
      it.script().files(NODE1, [KERNEL, INITRD]);
    }
    assert.equal(it.state(), 'armed');
  });

  it('is held also where it fetches in parts', () => {
    const it = new Desk(planOf());
    for (let i = 0; i < 3; i++) {
      it.now += 60_000;
      it.script();
      for (const file of [KERNEL, INITRD, FIRMWARE]) it.sign({ kind: 'file', file: file ?? '', mac: NODE1, last: 5 });
    }
    assert.equal(it.state(), 'held');
  });

  it('is held over a restart, whose time counts', () => {
    const it = new Desk(planOf()).boot(0).boot(10).restarted(planOf()).boot(10);
    assert.equal(it.restarted(planOf()).state(), 'held');
  });

  it('is netbooted again when it has not asked for long, and not while it asks', () => {
    const it = new Desk(planOf()).boot(0).boot(10).boot(10);
    for (let i = 0; i < 5; i++) {
      it.now += 7_000_000;
      it.script(NODE1, '');
      it.ledger.tick();
      assert.equal(it.state(), 'held');
    }
    it.now += 7_200_000;
    it.ledger.tick();
    it.settle();
    assert.deepEqual([it.state(), it.turns.at(-1)], ['armed', 'armed: quiet']);
    assert.equal(it.boot(1).boot(10).state(), 'armed');
  });

  it('is netbooted again when what it boots changes, or loops are allowed, and not by any other change', () => {
    for (const changed of [planOf(undefined, {}, [{ name: 'node1', macs: [NODE1], boot: 'next' }]), testPlan()]) {
      const it = new Desk(planOf()).boot(0).boot(10).boot(10);
      it.ledger.apply(planOf('delivered'));
      assert.equal(it.state(), 'held');
      it.ledger.apply(changed);
      it.settle();
      assert.deepEqual([it.state(), it.turns.at(-1)], ['armed', 'armed: changed']);
    }
  });

  it('stays held where its host is known by another sign than its MAC', () => {
    const plan = planOf(undefined, {}, [{ name: 'node3', macs: [], circuitIds: ['07'], boot: 'debian' }]);
    const it = new Desk(plan);
    for (let i = 0; i < 3; i++) {
      it.now += 60_000;
      it.sign({ kind: 'script', of: OTHER, mac: OTHER, entry: 'debian', host: 'node3' }).files(OTHER);
    }
    it.ledger.apply(plan);
    assert.equal(it.state(OTHER), 'held');
  });

  it('is netbooted again after a reset, its boots counted from none', () => {
    const it = new Desk(planOf()).boot(0).boot(10).boot(10);
    it.ledger.reset([{ mac: NODE1 }]);
    it.settle();
    assert.equal(it.boot(1).boot(1).state(), 'armed');
  });

  it('is never held where loops are allowed', () => {
    const it = new Desk(testPlan());
    for (let i = 0; i < 50; i++) it.boot(1);
    assert.equal(it.state(), 'armed');
    assert.ok((it.ledger.rows()[0]?.boots.length ?? 0) < 3);
  });
});

describe('a memory that was lost', () => {
  it('is told to the services with what is known, until all is armed', () => {
    const it = new Desk(planOf('delivered'), [], 5);
    assert.deepEqual(it.ledger.news(), { set: [], cleared: [], lostSince: 5 });
    assert.deepEqual(
      it.ledger.reset([{ mac: NODE1 }]).map(({ entry }) => entry),
      ['debian'],
    );
    it.settle();
    assert.deepEqual(it.ledger.news().set, [{ mac: NODE1, entry: 'debian', state: { kind: 'armed' } }]);
    assert.equal(it.boot(0).state(), 'done');
    it.ledger.resetAll();
    assert.deepEqual(it.ledger.take().news, { set: [], cleared: [{ mac: NODE1, entry: 'debian' }] });
    assert.equal(it.ledger.lostSince, undefined);
  });
});

it('a clock that was ahead is not believed for ever', () => {
  const ahead = new Desk(planOf());
  ahead.now += 10 ** 12;
  ahead.boot(0).boot(10).boot(10);
  const it = new Desk(planOf(), ahead.ledger.rows());
  it.now += 7_200_000;
  it.ledger.tick();
  it.settle();
  assert.equal(it.state(), 'armed');
});
