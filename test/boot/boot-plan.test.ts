import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { toIp4 } from '../../src/addr/ip4.ts';
import type { Mac } from '../../src/addr/mac.ts';
import { bootPlanFor, createBootIndex } from '../../src/boot/boot-plan.ts';
import type { BootState, BootStates } from '../../src/boot/boot-states.ts';
import type { BootEntry, Host } from '../../src/plan/plan.ts';
import { DEBIAN, mac, testPlan } from './boot-plan-fixture.ts';

describe('the boot plan of a machine', () => {
  it('is the entry its host names, by any of its MACs', () => {
    for (const address of ['52:54:00:12:34:56', '52:54:00:12:34:57']) {
      const { machine, target, why } = bootPlanFor(testPlan(), mac(address));
      assert.equal(machine?.name, 'node1');
      assert.equal(target, DEBIAN);
      assert.equal(why, 'host node1 boots the boot entry "debian"');
    }
  });

  it('is its own disk when its host says local', () => {
    const { machine, target, why } = bootPlanFor(testPlan(), mac('52:54:00:00:00:02'));
    assert.equal(machine?.name, 'node2');
    assert.equal(target, 'local');
    assert.equal(why, 'host node2 boots its own disk');
  });

  it('is the default for a machine nobody wrote down', () => {
    assert.deepEqual(bootPlanFor(testPlan({ default: 'debian' }), mac('02:00:00:00:00:01')), {
      target: DEBIAN,
      why: 'no host has this MAC, so boot.default decides: the boot entry "debian"',
    });
  });

  it('is the disk when the entry is not there', () => {
    const { target, why } = bootPlanFor(testPlan({ default: 'gone' }), mac('02:00:00:00:00:01'));
    assert.equal(target, 'local');
    assert.equal(why, 'no host has this MAC, so boot.default decides: its own disk, as there is no boot entry "gone"');
  });

  it('is found among 10,000 hosts without a search', () => {
    const hosts = Array.from({ length: 10_000 }, (_, i): Host => {
      return { name: `node${i}`, macs: [(0x525400000000 + i) as Mac], address: toIp4(0x0a000000 + i), boot: 'debian' };
    });
    let reads = 0;
    const counted = new Proxy(hosts, {
      get(target, key, receiver) {
        reads++;
        return Reflect.get(target, key, receiver) as unknown;
      },
    });
    const index = createBootIndex(testPlan({}, counted));
    reads = 0;
    assert.equal(index.find((0x525400000000 + 9_999) as Mac).machine?.name, 'node9999');
    assert.equal(reads, 0);
  });
});

function planOf(entry: BootEntry, states: BootStates, of = mac('52:54:00:12:34:56')): readonly [string, string] {
  const { target, why } = createBootIndex(testPlan({ entries: [entry], default: 'debian' }), states).find(of);
  return [target === 'local' ? target : target.name, why];
}

const only = (of: Mac, state: BootState): BootStates => ({
  of: (asked, entry) => (asked === of && entry === 'debian' ? state : undefined),
});

describe('the boot plan of a machine that has booted before', () => {
  const ONCE: BootEntry = { ...DEBIAN, once: 'delivered' };
  const HAD = { kind: 'done', by: 'delivered', since: 1_700_000_000_000 } as const;
  const HELD = { kind: 'held', boots: 8, withinSeconds: 7200, since: 1_700_000_000_000 } as const;
  const NODE1_OTHER_CARD = mac('52:54:00:12:34:57');

  it('is its own disk once it has had an entry that is for once, by whichever card it asks', () => {
    for (const asks of [mac('52:54:00:12:34:56'), NODE1_OTHER_CARD]) {
      assert.deepEqual(planOf(ONCE, only(NODE1_OTHER_CARD, HAD), asks), [
        'local',
        'host node1 boots its own disk: the boot entry "debian" is for once, and it was sent all of it on 2023-11-14T22:13:20Z; "rackboot boots reset node1" lets it netboot again',
      ]);
    }
    assert.match(
      planOf({ ...ONCE, once: 'reported' }, only(NODE1_OTHER_CARD, { ...HAD, by: 'reported' }))[1],
      /it reported "installed" on/,
    );
  });

  it('is the entry where that is for once no more, or another machine has had it', () => {
    assert.equal(planOf(DEBIAN, only(NODE1_OTHER_CARD, HAD))[0], 'debian');
    assert.equal(planOf(ONCE, only(mac('02:00:00:00:00:01'), HAD))[0], 'debian');
  });

  it('is the disk of an unknown machine too', () => {
    const stranger = mac('02:00:00:00:00:01');
    const [target, why] = planOf(ONCE, only(stranger, HAD), stranger);
    assert.equal(target, 'local');
    assert.match(why, /boot\.default decides: its own disk: .* "rackboot boots reset 02:00:00:00:00:01" lets/);
  });

  it('is its own disk while it is held for a loop, for once or not', () => {
    for (const entry of [DEBIAN, ONCE]) {
      const [target, why] = planOf(entry, only(NODE1_OTHER_CARD, HELD));
      assert.equal(target, 'local');
      assert.match(
        why,
        /it netbooted the boot entry "debian" 8 times within 2 h up to 2023-11-14T22:13:20Z, as in a loop/,
      );
    }
  });

  it('is the disk where nobody knows any more who has had what, until it is armed', () => {
    const lost = { of: () => undefined, lostSince: 1_700_000_000_000 };
    assert.equal(planOf(ONCE, lost)[0], 'local');
    assert.match(planOf(ONCE, lost)[1], /was lost on 2023-11-14T22:13:20Z; "rackboot boots reset node1" lets/);
    assert.equal(planOf(DEBIAN, lost)[0], 'debian');
    assert.equal(planOf(ONCE, { ...lost, ...only(NODE1_OTHER_CARD, { kind: 'armed' }) })[0], 'debian');
  });
});
