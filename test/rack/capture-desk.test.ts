import assert from 'node:assert/strict';
import type { PassThrough } from 'node:stream';
import { test } from 'node:test';

import { toIp4 } from '../../src/addr/ip4.ts';
import type { Mac } from '../../src/addr/mac.ts';
import { CaptureDesk } from '../../src/rack/capture-desk.ts';
import type { LeaseFact, ToService } from '../../src/service/letters.ts';

const MAC = 0x525400000001 as Mac;
const OTHER = 0x525400000002 as Mac;

class Bench {
  facts: LeaseFact[] = [];
  readonly told: ToService[] = [];
  fire: (() => void) | undefined;
  readonly desk = new CaptureDesk({
    tell: (letter) => void this.told.push(letter),
    facts: () => this.facts,
    after: (_milliseconds, fire) => {
      this.fire = fire;
      return () => {
        this.fire = undefined;
      };
    },
  });

  start(): PassThrough {
    const stream = this.desk.start(MAC, 1000);
    assert.ok(stream);
    return stream;
  }

  /** The addresses that services were last told to look at; undefined: none, the tap is off. */
  aimed(): readonly number[] | undefined {
    const last = this.told.at(-1);
    return last?.type === 'tap' ? last.aim?.addresses : undefined;
  }
}

test('a capture begins as a pcap does, goes on with what services write down, and ends when its time is over', async () => {
  const bench = new Bench();
  const stream = bench.start();
  bench.desk.take(Uint8Array.of(1, 2, 3));
  assert.equal(bench.told.length, 1);
  bench.fire?.();
  assert.deepEqual(bench.told.at(-1), { type: 'tap' });
  // What a service had in hand
  bench.desk.take(Uint8Array.of(4));
  bench.fire?.();
  bench.desk.take(Uint8Array.of(5));
  const bytes = Buffer.concat(await stream.toArray());
  assert.equal(bytes.subarray(0, 4).toString('hex'), 'd4c3b2a1');
  assert.deepEqual([...bytes.subarray(24)], [1, 2, 3, 4]);
  assert.equal(bench.told.length, 2);
});

test('one capture runs at a time, and the next when it ended', () => {
  const bench = new Bench();
  bench.start();
  assert.equal(bench.desk.start(OTHER, 1000), undefined);
  bench.desk.stop();
  assert.equal(bench.desk.start(OTHER, 1000), undefined);
  bench.fire?.();
  bench.start();
});

test('services follow the machine to its addresses, and are told nothing of others', () => {
  const bench = new Bench();
  bench.facts = [{ address: toIp4(9), mac: MAC }];
  bench.start();
  assert.deepEqual(bench.aimed(), [9]);
  bench.facts = [
    { address: toIp4(10), mac: MAC },
    { address: toIp4(11), mac: OTHER },
  ];
  bench.desk.leasesChanged([{ address: toIp4(11), mac: OTHER }]);
  assert.equal(bench.told.length, 1);
  bench.desk.leasesChanged([{ address: toIp4(10), mac: MAC }]);
  assert.deepEqual(bench.aimed(), [9, 10]);
  bench.desk.leasesChanged([]);
  assert.equal(bench.told.length, 2);
  const [letter] = bench.desk.letters();
  assert.deepEqual(letter, bench.told.at(-1));
});

test('an address that another machine has by now is looked at no more', () => {
  const bench = new Bench();
  bench.facts = [
    { address: toIp4(9), mac: MAC },
    { address: toIp4(10), mac: MAC },
  ];
  bench.start();
  bench.facts = [
    { address: toIp4(9), mac: OTHER },
    { address: toIp4(10), mac: MAC },
  ];
  bench.desk.leasesChanged([{ address: toIp4(9), mac: OTHER }]);
  assert.deepEqual(bench.aimed(), [10]);
});

test('a reader that goes away ends it', async () => {
  const bench = new Bench();
  const stream = bench.start();
  bench.facts = [{ address: toIp4(10), mac: MAC }];
  bench.desk.leasesChanged([{ address: toIp4(10), mac: MAC }]);
  const closed = new Promise((resolve) => stream.once('close', resolve));
  stream.destroy();
  await closed;
  assert.deepEqual(bench.told.at(-1), { type: 'tap' });
  assert.deepEqual([bench.fire, bench.desk.letters()], [undefined, []]);
});

test('a capture that nobody reads is not kept in memory beyond a bound', () => {
  const bench = new Bench();
  bench.start();
  for (let n = 0; n < 20; n++) bench.desk.take(new Uint8Array(1024 * 1024));
  assert.deepEqual(bench.told.at(-1), { type: 'tap' });
});
