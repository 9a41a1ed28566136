import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { download } from '../../src/images/download.ts';
import { FileShelf } from '../../src/images/file-shelf.ts';
import { Pace } from '../../src/images/pace.ts';
import { sha256 } from './streams/stream-fixture.ts';

test('who takes more than the cap allows waits until it is paid for, whoever took it', () => {
  let now = 10_000;
  const pace = new Pace({ monotonic: () => now }, 1_000_000);
  assert.equal(pace.take(250_000), 0);
  assert.equal(pace.take(500_000), 500);
  assert.equal(pace.take(500_000), 1_000);
  now += 1_000;
  assert.equal(pace.take(100_000), 100);
});

test('a pause is not saved up for long', () => {
  let now = 0;
  const pace = new Pace({ monotonic: () => now }, 1_000_000);
  now += 3_600_000;
  assert.equal(pace.take(250_000), 0);
  assert.equal(pace.take(1_000_000), 1_000);
});

test('without a cap nobody waits', () => {
  assert.equal(new Pace({ monotonic: () => 0 }, undefined).take(1e12), 0);
});

test('a wait too short to be one is had with the next', () => {
  const pace = new Pace({ monotonic: () => 0 }, 1_000_000);
  pace.take(250_000);
  assert.deepEqual([pace.take(10_000), pace.take(9_000), pace.take(1_000)], [0, 0, 20]);
});

test('a file at a slow pace is waited for piece by piece, so that its mirror sees that somebody is there', async (t) => {
  const state = mkdtempSync(join(tmpdir(), 'rackboot-pace-'));
  t.after(() => rmSync(state, { recursive: true }));
  const shelf = new FileShelf(state);
  shelf.prepare();
  let now = 0;
  const pace = new Pace({ monotonic: () => now }, 64 * 1024);
  const content = Buffer.alloc(3 * 2 ** 20 + 1, 'x');
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < content.length; at += 65_536) yield content.subarray(at, at + 65_536);
  };
  const origin = { locate: (path: string) => path, open: () => Promise.resolve({ first: 0, chunks: chunks() }) };
  const waits: number[] = [];
  await download({ path: 'a', sha256: sha256(content), size: content.length }, origin, {
    shelf,
    signal: new AbortController().signal,
    onBytes: () => undefined,
    // Three others take as much
    toll: (bytes) => pace.take(4 * bytes),
    sleep: (milliseconds) => {
      waits.push(milliseconds);
      now += milliseconds;
      return Promise.resolve();
    },
  });
  assert.ok(Math.max(...waits) <= 4_000, String(Math.max(...waits)));
  assert.ok(now >= 190_000 && now < 194_000, String(now));
});
