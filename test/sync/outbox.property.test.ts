import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import * as fc from 'fast-check';

import { Outbox, type NewRecord, type OutboxBounds } from '../../src/sync/outbox.ts';
import { HandClock } from './hand-clock.ts';
import { RegionModel } from './region-model.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-outbox-property-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;

/** So old are records given up, in the rounds of a test. */
const AGE = 20;
/** Where there is room for all, nothing is given up but for its age. */
const bounds = fc.constantFrom<OutboxBounds>(
  { milliseconds: AGE, bytes: 64 * 1024 },
  { milliseconds: AGE, bytes: 64 * 2 ** 20 },
);

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      count: fc.integer({ min: 0, max: 12 }),
      leases: fc.nat(12),
    }),
  },
  // How much of it the region keeps, whether its answer gets here
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      most: fc.integer({ min: 1, max: 15 }),
      kept: fc.nat(15),
      isAnswered: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('trim' as const), passed: fc.nat(30) }) },
  // By an operator, a time server, a battery that is dead: also while nobody runs
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('set the clock' as const), by: fc.integer({ min: -5_000, max: 5_000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hand over twice' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('tell all' as const), leases: fc.nat(5) }) },
);

test('whatever is added, sent, lost, cut off and given up: the region has every event once and in order, or it is counted', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), bounds, (steps, within) => {
      const file = join(directory, `${files++}.db`);
      const clock = new HandClock(1_000);
      let ran = 0;
      const pass = (milliseconds: number): void => {
        clock.pass(milliseconds);
        ran += milliseconds;
      };
      /** When each event came, by a clock that nobody sets. */
      const cameAt: number[] = [];
      const region = new RegionModel();
      let outbox = new Outbox(file, clock, within);
      let events = 0;
      let letter = 0;
      let last: { records: NewRecord[]; letter: { life: string; number: number } } | undefined;
      const add = (count: number, leases: number, more = {}): void => {
        const records = Array.from({ length: count }, (_, i): NewRecord => {
          const isLease = i < leases;
          const name = isLease ? `lease ${letter}.${i}` : `${events++}`;
          if (!isLease) cameAt.push(ran);
          return { isLease, body: JSON.stringify({ at: clock.now(), name, fill: 'x'.repeat(300) }) };
        });
        last = { records, letter: { life: 'life', number: ++letter } };
        outbox.add({ ...last, ...more });
      };
      for (const each of steps) {
        pass(1);
        if (each.do === 'add') add(each.count, each.leases);
        else if (each.do === 'tell all') add(each.leases + 1, each.leases + 1, { beginsTelling: true });
        else if (each.do === 'hand over twice') {
          if (last && !outbox.hasTaken(last.letter)) outbox.add(last);
        } else if (each.do === 'send') {
          const kept = region.keep(outbox.stream, outbox.lend(each.most, 1_000_000), each.kept);
          if (each.isAnswered) outbox.settle(kept);
        } else if (each.do === 'trim') {
          pass(each.passed);
          outbox.trim();
          if (within.bytes > 2 ** 20) {
            const old = cameAt.filter((at) => ran - at > AGE).length;
            assert.ok((outbox.forgotten?.count ?? 0) <= old, 'nothing is given up that is not old');
          }
        } else if (each.do === 'set the clock') clock.set(each.by);
        else {
          outbox.close();
          clock.restart();
          outbox = new Outbox(file, clock, within);
        }
      }
      for (let batch = outbox.lend(7, 1_000_000); batch.length > 0; batch = outbox.lend(7, 1_000_000)) {
        outbox.settle(region.keep(outbox.stream, batch));
      }
      const told = region.names.filter((name) => !name.startsWith('lease')).map(Number);
      const forgotten = outbox.forgotten?.count ?? 0;
      const left = outbox.count;
      outbox.close();
      assert.equal(left, 0);
      assert.deepEqual(
        told,
        told.toSorted((a, b) => a - b),
        'in order',
      );
      assert.equal(new Set(region.names).size, region.names.length, 'once');
      // What the region kept, but could not say so before it was given up, is counted on both sides
      assert.ok(told.length + forgotten >= events, `${told.length} told, ${forgotten} given up, of ${events}`);
      if (forgotten === 0) assert.equal(told.length, events);
    }),
    { numRuns: Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 0) || 60 },
  );
});
