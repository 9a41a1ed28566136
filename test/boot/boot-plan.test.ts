import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { toIp4 } from '../../src/addr/ip4.ts';
import type { Mac } from '../../src/addr/mac.ts';
import { bootPlanFor, createBootIndex } from '../../src/boot/boot-plan.ts';
import type { Host } from '../../src/plan/plan.ts';
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
