import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WireError } from '../../src/wire/wire-error.ts';
import { fuzz } from './fuzz.ts';

const seeds = [Uint8Array.from({ length: 64 }, (_, at) => at), new Uint8Array(16)];

test('the same seed makes the same packets, another seed makes others', () => {
  assert.equal(packets(7), packets(7));
  assert.notEqual(packets(7), packets(8));
});

test('packets are shorter and longer than the seeds, and the seeds themselves stay as they were', () => {
  const lengths = new Set<number>();
  fuzz({ seeds, rounds: 2000, run: (bytes) => lengths.add(bytes.length) });
  assert.ok(Math.min(...lengths) < 16 && Math.max(...lengths) > 64);
  assert.equal(seeds[0]?.[63], 63);
});

test('a WireError is counted', () => {
  const outcome = fuzz({ seeds, rounds: 1000, run: refuse });
  assert.deepEqual([outcome.accepted, outcome.refused], [0, 1000]);
});

test('any other error fails, with the packet that made it', () => {
  assert.throws(
    () => fuzz({ seeds, rounds: 10, run: breakDown }),
    /TypeError: broken, and not a WireError, from \d+ bytes: [0-9a-f]*$/,
  );
});

test('memory that grows fails', () => {
  const kept: Uint8Array[] = [];
  assert.throws(
    () => fuzz({ seeds, rounds: 20_000, run: () => kept.push(new Uint8Array(1024)) }),
    /memory grew by \d+ bytes/,
  );
});

function packets(seed: number): string {
  const made: string[] = [];
  fuzz({ seeds, rounds: 100, seed, run: (bytes) => made.push(Buffer.from(bytes).toString('hex')) });
  return made.join('\n');
}

function refuse(): void {
  throw new WireError('no');
}

function breakDown(): void {
  throw new TypeError('broken');
}
