import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import * as fc from 'fast-check';

import { Outbox, type NewRecord, type OutboxBounds } from '../../src/sync/outbox.ts';
import { RegionModel } from './region-model.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-outbox-property-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;

/** So old are records given up, in the rounds of a test. */
const AGE = 20;
const BOUNDS: OutboxBounds = { milliseconds: AGE, bytes: 64 * 1024 };

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
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hand over twice' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('tell all' as const), leases: fc.nat(5) }) },
);

test('whatever is added, sent, lost, cut off and given up: the region has every event once and in order, or it is counted', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const file = join(directory, `${files++}.db`);
      const clock = { time: 1_000, now: () => clock.time };
      const region = new RegionModel();
      let outbox = new Outbox(file, clock, BOUNDS);
      let events = 0;
      let letter = 0;
      let last: { records: NewRecord[]; letter: { life: string; number: number } } | undefined;
      const add = (count: number, leases: number, more = {}): void => {
        const records = Array.from({ length: count }, (_, i): NewRecord => {
          const isLease = i < leases;
          const name = isLease ? `lease ${letter}.${i}` : `${events++}`;
          return { at: clock.time, isLease, body: JSON.stringify({ at: clock.time, name, fill: 'x'.repeat(300) }) };
        });
        last = { records, letter: { life: 'life', number: ++letter } };
        outbox.add({ ...last, ...more });
      };
      for (const each of steps) {
        clock.time++;
        if (each.do === 'add') add(each.count, each.leases);
        else if (each.do === 'tell all') add(each.leases + 1, each.leases + 1, { beginsTelling: true });
        else if (each.do === 'hand over twice') {
          if (last && !outbox.hasTaken(last.letter)) outbox.add(last);
        } else if (each.do === 'send') {
          const kept = region.keep(outbox.stream, outbox.lend(each.most, 1_000_000), each.kept);
          if (each.isAnswered) outbox.settle(kept);
        } else if (each.do === 'trim') {
          clock.time += each.passed;
          outbox.trim();
        } else {
          outbox.close();
          outbox = new Outbox(file, clock, BOUNDS);
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
