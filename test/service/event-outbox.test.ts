import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { toIp4, type Ip4 } from '../../src/addr/ip4.ts';
import type { Mac } from '../../src/addr/mac.ts';
import { EventOutbox } from '../../src/service/event-outbox.ts';
import { fromColumns, toColumns } from '../../src/service/lease-columns.ts';
import type { FromService, LeaseFact } from '../../src/service/letters.ts';

const A = 0x525400000001 as Mac;
const B = 0x525400000002 as Mac;

interface Rig {
  readonly outbox: EventOutbox;
  readonly posted: FromService[];
  /** Lets the time pass that the outbox waits. */
  readonly pass: () => void;
  readonly waits: number[];
}

function rig(): Rig {
  const [posted, waits, fires]: [FromService[], number[], (() => void)[]] = [[], [], []];
  const outbox = new EventOutbox({
    source: 'dhcp',
    clock: { now: () => 5000, monotonic: () => 0 },
    post: (letter) => posted.push(letter),
    after: (milliseconds, fire) => {
      waits.push(milliseconds);
      fires.push(fire);
    },
  });
  return { outbox, posted, waits, pass: () => fires.splice(0).forEach((fire) => fire()) };
}

function fact(number: number, mac = A): LeaseFact {
  return { address: toIp4(number), mac };
}

test('what happens in one moment is one letter of each sort, leases first', () => {
  const { outbox, posted, pass, waits } = rig();
  outbox.emit({ kind: 'dhcp.release' }, { mac: 'a', address: '10.0.0.1' });
  outbox.leaseBound(fact(1));
  outbox.emit({ kind: 'dhcp.decline' });
  outbox.leaseEnded(toIp4(2));
  assert.deepEqual(posted, []);
  assert.deepEqual(waits, [1]);
  pass();
  assert.deepEqual(posted, [
    { type: 'leases', bound: toColumns([fact(1)]), ended: [2] },
    {
      type: 'events',
      events: [
        { kind: 'dhcp.release', at: 5000, source: 'dhcp', mac: 'a', address: '10.0.0.1' },
        { kind: 'dhcp.decline', at: 5000, source: 'dhcp' },
      ],
    },
  ]);
});

test('the next moment is the next letter', () => {
  const { outbox, posted, pass, waits } = rig();
  outbox.leaseBound(fact(1));
  pass();
  outbox.leaseBound(fact(2));
  pass();
  assert.deepEqual(waits, [1, 4]);
  assert.deepEqual(
    posted.map((letter) => letter.type === 'leases' && fromColumns(letter.bound)),
    [[fact(1)], [fact(2)]],
  );
});

test('a flush sends at once, and the timer that was set then sends nothing', () => {
  const { outbox, posted, pass } = rig();
  outbox.emit({ kind: 'dhcp.release' });
  outbox.flush();
  assert.equal(posted.length, 1);
  pass();
  outbox.flush();
  assert.equal(posted.length, 1);
});

test('what was posted does not change any more', () => {
  const { outbox, posted } = rig();
  outbox.leaseBound(fact(1));
  outbox.leaseEnded(toIp4(2));
  outbox.flush();
  outbox.leaseEnded(toIp4(1));
  outbox.leaseBound(fact(3));
  assert.deepEqual(posted, [{ type: 'leases', bound: toColumns([fact(1)]), ended: [2] }]);
});

/** What a reader of letters ends up with: what ended goes first, as every service does it. */
function read(letters: readonly FromService[]): Map<Ip4, LeaseFact> {
  const leases = new Map<Ip4, LeaseFact>();
  for (const letter of letters) {
    if (letter.type !== 'leases') continue;
    for (const address of letter.ended) leases.delete(address);
    for (const lease of fromColumns(letter.bound)) leases.set(lease.address, lease);
  }
  return leases;
}

test('a lease that is bound twice and then ends within a moment has ended', () => {
  const { outbox, posted } = rig();
  outbox.leaseBound(fact(1));
  outbox.leaseBound(fact(1));
  outbox.leaseEnded(toIp4(1));
  outbox.flush();
  assert.deepEqual(posted, [{ type: 'leases', bound: toColumns([]), ended: [1] }]);
});

test('a lease that ends and is bound to another within a moment is the other’s', () => {
  const { outbox, posted } = rig();
  outbox.leaseEnded(toIp4(1));
  outbox.leaseBound(fact(1, B));
  outbox.flush();
  assert.equal(read(posted).get(toIp4(1))?.mac, B);
});

test('wherever the letters are cut, their reader ends up with what happened', () => {
  const step = fc.record({ number: fc.nat(3), mac: fc.constantFrom(A, B, undefined), flush: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const { outbox, posted } = rig();
      const truth = new Map<Ip4, LeaseFact>();
      for (const { number, mac, flush } of steps) {
        if (mac === undefined) {
          outbox.leaseEnded(toIp4(number));
          truth.delete(toIp4(number));
        } else {
          outbox.leaseBound(fact(number, mac));
          truth.set(toIp4(number), fact(number, mac));
        }
        if (flush) outbox.flush();
      }
      outbox.flush();
      assert.deepEqual(read(posted), truth);
    }),
  );
});

test('trouble that is told once is told in the middle of a flood too', () => {
  const { outbox, posted } = rig();
  for (let i = 0; i < 30_000; i++) outbox.emit({ kind: 'dhcp.discover' });
  for (let i = 0; i < 1_000; i++) outbox.emit({ kind: 'dhcp.ignored', reason: 'forged' });
  outbox.emit({ kind: 'dhcp.store-failed', reason: 'disk full' });
  outbox.emit({ kind: 'dhcp.exhausted', subnet: '10.0.0.0/8' });
  outbox.emit({ kind: 'dhcp.store-works' });
  outbox.flush();
  const kinds = posted.flatMap((letter) => (letter.type === 'events' ? letter.events.map(({ kind }) => kind) : []));
  assert.deepEqual(kinds.slice(-3), ['dhcp.store-failed', 'dhcp.exhausted', 'dhcp.store-works']);
});

test('signs of boots are all told, behind the events, however many events a flood makes', () => {
  const { outbox, posted, pass } = rig();
  for (let i = 0; i < 30_000; i++)
    outbox.emit({ kind: 'http.sent', path: '/k', status: 200, bytes: 1, milliseconds: 1 });
  const sign = { kind: 'report', mac: A, stage: 'installed' } as const;
  outbox.sign(sign);
  outbox.sign(sign);
  pass();
  const [events, signs] = posted;
  assert.equal(events?.type === 'events' && events.events.length, 20_000);
  assert.deepEqual(signs, { type: 'signs', signs: [sign, sign] });
  outbox.flush();
  assert.equal(posted.length, 2);
});
