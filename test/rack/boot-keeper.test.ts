import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import type { BootSign } from '../../src/boots/boot-sign.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { BootKeeper, calledBy } from '../../src/rack/boot-keeper.ts';
import type { ToService } from '../../src/service/letters.ts';
import type { EventBody } from '../../src/timeline/event.ts';
import { DEBIAN, ip4, mac, testPlan } from '../boot/boot-plan-fixture.ts';

const NODE1 = mac('52:54:00:12:34:56');
const ADDRESS = ip4('192.0.2.21');

/** A keeper with a directory of its own, and everything that it says. */
class Desk {
  readonly state: string;
  readonly plan: Plan;
  readonly told: ToService[] = [];
  readonly events: (readonly [EventBody['kind'], string | undefined])[] = [];
  readonly keeper: BootKeeper;
  now = 1_700_000_000_000;

  constructor(t: TestContext, state = mkdtempSync(join(tmpdir(), 'rackboot-keeper-'))) {
    this.state = state;
    const loop = { boots: 2, withinSeconds: 3600, quietSeconds: 7200 };
    const base = testPlan({
      entries: [
        { ...DEBIAN, initrd: [], once: 'delivered' },
        { ...DEBIAN, name: 'rescue', initrd: [] },
      ],
      loop,
    });
    this.plan = { ...base, rack: { ...base.rack, state } };
    this.keeper = new BootKeeper(
      {
        clock: { now: () => this.now, monotonic: () => this.now },
        tell: (letter) => this.told.push(letter),
        emit: ({ kind }, of) => this.events.push([kind, of]),
      },
      this.plan,
    );
    t.after(() => {
      this.keeper.close();
      rmSync(state, { recursive: true, force: true });
    });
  }

  boot(entry: string): void {
    const doer = { mac: NODE1, address: ADDRESS };
    const signs: BootSign[] = [
      { kind: 'script', of: NODE1, entry, ...doer },
      { kind: 'file', file: DEBIAN.kernel.file, first: 0, last: 9, size: 10, ...doer },
    ];
    this.keeper.learn(signs);
  }
}

test('a turn is an event of its machine, is told to the services, and is there for the next start', (t) => {
  const desk = new Desk(t);
  desk.boot('debian');
  assert.deepEqual(desk.events, [['boot.done', '52:54:00:12:34:56']]);
  const state = { kind: 'done', by: 'delivered', since: desk.now } as const;
  const news = { set: [{ mac: NODE1, entry: 'debian', state }], cleared: [] };
  assert.deepEqual(desk.told, [{ type: 'boots', news }]);
  desk.keeper.flush();
  assert.deepEqual(new Desk(t, desk.state).keeper.letter(), { type: 'boots', news });
});

test('a held machine is a notice by its name until it is reset', (t) => {
  const desk = new Desk(t);
  const notices = (): string[] => desk.keeper.notices((row) => calledBy(desk.plan, row));
  desk.boot('rescue');
  assert.deepEqual(notices(), []);
  // Its host boots debian: held is what netboots, whatever the file says now
  desk.now += 60_000;
  desk.boot('rescue');
  assert.match(notices().join('\n'), /^node1: netbooted over and over, so the own disk is booted instead/);
  desk.keeper.reset([{ mac: NODE1 }]);
  assert.deepEqual(notices(), []);
  assert.deepEqual(desk.told.at(-1), { type: 'boots', news: { set: [], cleared: [{ mac: NODE1, entry: 'rescue' }] } });
});

test('a disk that takes nothing is told of once, and everything is written when it does again', (t) => {
  const state = join(mkdtempSync(join(tmpdir(), 'rackboot-keeper-')), 'state');
  writeFileSync(state, 'in the way');
  const desk = new Desk(t, state);
  desk.boot('debian');
  for (let i = 0; i < 3; i++) desk.keeper.tick();
  assert.deepEqual(desk.events, [
    ['boot.store-failed', undefined],
    ['boot.done', '52:54:00:12:34:56'],
  ]);
  rmSync(state);
  desk.keeper.tick();
  assert.deepEqual(desk.events.at(-1), ['boot.store-works', undefined]);
  assert.equal(new Desk(t, state).keeper.rows().length, 1);
});

test('a memory that was lost is a notice over restarts, until all machines are reset', (t) => {
  const state = mkdtempSync(join(tmpdir(), 'rackboot-keeper-'));
  mkdirSync(state, { recursive: true });
  writeFileSync(join(state, 'boots.db'), 'garbage'.repeat(1000));
  const first = new Desk(t, state);
  assert.deepEqual(first.events, [['boot.store-replaced', undefined]]);
  const desk = new Desk(t, state);
  assert.deepEqual(desk.events, []);
  assert.match(desk.keeper.notices(() => '').join('\n'), /^2023-11-14T22:13:20.000Z what machines had .* was lost/);
  desk.keeper.reset();
  assert.deepEqual(desk.told, [{ type: 'boots', news: { set: [], cleared: [] } }]);
  assert.deepEqual(
    desk.keeper.notices(() => ''),
    [],
  );
  assert.equal(new Desk(t, state).keeper.lostSince, undefined);
});
