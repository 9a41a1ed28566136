import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import type { Ip4 } from '../../src/addr/ip4.ts';
import type { RackNames } from '../../src/dns/rack-names.ts';
import { runWhole } from '../../src/dns/slices.ts';
import { compareZones } from '../../src/dns/zone-builder.ts';
import type { Zone } from '../../src/dns/zone.ts';
import type { LeaseFact } from '../../src/service/letters.ts';
import type { Loop } from '../../src/system/loop.ts';
import { nameKey, type NameKey } from '../../src/wire/dns/name.ts';
import { recordsOf as recordsOfSet } from '../../src/wire/dns/record-set.ts';
import { TYPE } from '../../src/wire/dns/record-type.ts';
import type { ResourceRecord } from '../../src/wire/dns/resource-record.ts';
import { recordText, serialOf, type ZoneChange } from '../../src/zones/zone-change.ts';
import { PlainPublisher } from './plain-publisher.ts';
import { ip4, leaseOf, planOf } from './plan-of.ts';
import { rackNamesOf } from './rack-names-of.ts';
import { recordsOf } from './records-of.ts';

/** A loop that turns by hand, and a clock by which every step of long work is a slice of its own. */
class SlowLoop implements Loop {
  readonly #waiting: (() => void)[] = [];
  #now = 0;
  readonly clock = { now: () => 1_000_000, monotonic: () => (this.#now += 10) };

  watch(): never {
    throw new Error('nothing is watched here');
  }

  after(_: number, fire: () => void): { cancel(): void } {
    this.#waiting.push(fire);
    return { cancel: () => void this.#waiting.splice(this.#waiting.indexOf(fire), 1) };
  }

  /** Whether there was anything to do. */
  turn(): boolean {
    const fire = this.#waiting.shift();
    fire?.();
    return fire !== undefined;
  }
}

/** A publisher, and what a secondary has of each zone: the first content, and what each change made of it. */
class Follower extends PlainPublisher {
  readonly #contents = new Map<NameKey, Set<string>>();
  readonly #zones = new Map<NameKey, Zone>();
  #serial = 0;

  override replace(zone: Zone): void {
    const before = this.#zones.get(zone.origin);
    this.#zones.set(zone.origin, zone);
    const next = (): number => ++this.#serial;
    if (before) this.#follow(zone.publishAfter(before.soa, runWhole(compareZones(before, zone)), next));
    else {
      zone.publish(next);
      this.#contents.set(zone.origin, new Set(contentOf(zone)));
    }
  }

  override publish(zone: Zone): void {
    const change = zone.publish(() => ++this.#serial);
    if (change) this.#follow(change);
  }

  override withdraw(zone: Zone): void {
    if (this.#zones.get(zone.origin) === zone) this.#zones.delete(zone.origin);
  }

  check(names: RackNames): void {
    assert.deepEqual(new Set(names.zones.all()), new Set(this.#zones.values()));
    for (const zone of names.zones.all()) {
      const content = contentOf(zone);
      assert.deepEqual([...(this.#contents.get(zone.origin) ?? [])].toSorted(), content.toSorted());
      assert.deepEqual([zone.records, zone.owners], [content.length + 1, [...zone.snapshot()].length]);
    }
  }

  #follow({ origin, from, to, removed, added }: ZoneChange): void {
    const content = this.#contents.get(origin) ?? new Set();
    assert.ok(serialOf(to) > serialOf(from));
    for (const record of removed) assert.ok(content.delete(recordText(record)), 'there was no such record');
    for (const record of added) assert.ok(!content.has(recordText(record)), 'the record was there');
    for (const record of added) content.add(recordText(record));
  }
}

function contentOf(zone: Zone): string[] {
  const records: ResourceRecord[] = [...zone.snapshot()].flatMap(([owner, sets]) =>
    sets.flatMap((set) => recordsOfSet(owner, set)),
  );
  return records.filter(({ type }) => type !== TYPE.SOA).map(recordText);
}

const HOSTS = Array.from({ length: 150 }, (_, i) => `h${i} 192.0.2.${i + 20} 52:54:00:00:01:${(i + 16).toString(16)}`);
const PLANS = [
  planOf({ subnets: ['192.0.2.0/24 a.example 192.0.2.1', '10.0.0.0/24 b.example'], hosts: HOSTS }),
  planOf({ subnets: ['192.0.2.0/24 a.example 192.0.2.1', '10.0.0.0/24 b.example'], hosts: HOSTS.slice(75) }),
  planOf({ subnets: ['192.0.2.0/24 b.example 192.0.2.1', '10.0.0.0/24 d.example'], hosts: HOSTS }),
  planOf({
    subnets: ['192.0.2.0/24 b.example 192.0.2.1', '10.0.0.0/26 c.example'],
    hosts: ['x 192.0.2.9 52:54:00:00:00:09'],
  }),
];

/** More leases than are taken in at once, in two subnets. */
const CROWD = Array.from({ length: 150 }, (_, i) =>
  leaseOf(`${i % 2 === 0 ? '192.0.2' : '10.0.0'}.${i + 60} 52:54:00:00:02:${(i + 16).toString(16)} c${i}`),
);

interface Step {
  readonly plan?: number;
  readonly bound?: readonly LeaseFact[];
  readonly ended?: readonly Ip4[];
  readonly turns?: number;
}

const address = fc.constantFrom('192.0.2.5', '192.0.2.200', '192.0.2.201', '10.0.0.50', '10.0.0.90');
const words = fc.tuple(
  address,
  fc.constantFrom('52:54:00:00:00:01', '52:54:00:00:00:02'),
  fc.constantFrom('x', 'x', 'y', 'h3'),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ plan: fc.nat(PLANS.length - 1) }),
  words.map((lease) => ({ bound: [leaseOf(lease.join(' '))] })),
  address.map((text) => ({ ended: [ip4(text)] })),
  fc.constantFrom({ bound: CROWD }, { ended: CROWD.map((lease) => lease.address) }),
  fc.record({ turns: fc.nat(4) }),
);

describe('a switch to a new Plan that takes its time', () => {
  test('ends with the zones that a full rebuild makes, and tells a secondary how it came there', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const loop = new SlowLoop();
        const follower = new Follower();
        const names = rackNamesOf({ loop, clock: loop.clock, publisher: follower });
        let plan = PLANS[0] ?? assert.fail();
        names.apply(plan);

        for (const one of steps) {
          if (one.plan !== undefined) names.apply((plan = PLANS[one.plan] ?? plan));
          if (one.bound ?? one.ended) names.learn(one.bound ?? [], one.ended ?? []);
          for (let left = one.turns ?? 0; left > 0; left--) loop.turn();
          follower.check(names);
        }
        while (loop.turn());
        follower.check(names);
        const switched = recordsOf(names.zones);
        names.apply(plan);
        while (loop.turn());
        assert.deepEqual(recordsOf(names.zones), switched);
      }),
      { numRuns: 200 },
    );
  });

  test('answers meanwhile from the zones before, and a new lease from them at once', () => {
    const loop = new SlowLoop();
    const names = rackNamesOf({ loop, clock: loop.clock });
    const [first, , third] = PLANS;
    names.apply(first ?? assert.fail());
    names.apply(third ?? assert.fail());
    loop.turn();
    assert.ok(names.zones.get(nameKey('a.example')), 'the zones before are served');
    names.learn([leaseOf('192.0.2.200 52:54:00:00:00:01 new')], []);
    assert.ok(recordsOf(names.zones).includes('new.a.example A 192.0.2.200'));
    while (loop.turn());
    assert.ok(recordsOf(names.zones).includes('new.b.example A 192.0.2.200'));
    assert.equal(names.zones.get(nameKey('a.example')), undefined);
  });

  test('is given up for the next one', () => {
    const loop = new SlowLoop();
    const names = rackNamesOf({ loop, clock: loop.clock });
    const [first, second, third] = PLANS;
    names.apply(first ?? assert.fail());
    names.apply(third ?? assert.fail());
    loop.turn();
    names.apply(second ?? assert.fail());
    while (loop.turn());
    assert.ok(names.zones.get(nameKey('a.example')));
    assert.ok(!names.zones.get(nameKey('c.example')));
  });
});

describe('a crowd of leases', () => {
  test('is taken in a few at a time, and what is told meanwhile comes behind it', () => {
    const loop = new SlowLoop();
    const names = rackNamesOf({ loop, clock: loop.clock });
    const [plan = assert.fail(), [, first = assert.fail()]] = [PLANS[0], CROWD];
    names.apply(plan);
    names.learn(CROWD, []);
    names.learn([], [first.address]);
    assert.ok(recordsOf(names.zones).includes('c1.b.example A 10.0.0.61'));
    assert.ok(!recordsOf(names.zones).includes('c149.b.example A 10.0.0.209'));
    while (loop.turn());
    assert.ok(!recordsOf(names.zones).includes('c1.b.example A 10.0.0.61'));
    assert.ok(recordsOf(names.zones).includes('c149.b.example A 10.0.0.209'));
  });

  test('is given up with all that waits behind it', () => {
    const loop = new SlowLoop();
    const names = rackNamesOf({ loop, clock: loop.clock });
    names.apply(PLANS[0] ?? assert.fail());
    names.learn(CROWD, []);
    names.close();
    assert.equal(loop.turn(), false);
  });
});
