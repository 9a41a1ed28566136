import assert from 'node:assert/strict';
import { test } from 'node:test';

import { describeProgress, ProgressLines } from '../../src/cli/progress-lines.ts';
import type { ImportProgress } from '../../src/images/progress.ts';

const PROGRESS: ImportProgress = {
  phase: 'fetching',
  files: [{ name: 'ubuntu/noble/amd64 squashfs', done: 35, size: 100 }],
  done: 250_000_000,
  total: 612_000_000,
  rate: 54_000_000,
  secondsLeft: 7,
};

test('how far an import is, in a line', () => {
  assert.equal(describeProgress(PROGRESS), '40 % of 612 MB, 54 MB/s, 7 s left: ubuntu/noble/amd64 squashfs 35 %');
  assert.equal(describeProgress({ ...PROGRESS, phase: 'reading', source: 'maas' }), 'reading what maas has');
  const { secondsLeft: _unknown, ...unknown } = { ...PROGRESS, files: [], total: 0, done: 0, rate: 0 };
  assert.equal(describeProgress(unknown), '100 % of 0 MB, 0 MB/s');
});

test('a terminal has a bar, drawn anew in its place and no wider than it', () => {
  const written: string[] = [];
  const lines = new ProgressLines({ columns: 40, write: (text) => written.push(text), now: () => 0 }, () =>
    assert.fail(),
  );
  lines.show(PROGRESS);
  lines.end();
  assert.deepEqual(written, ['\r\u001b[K[#########               ] 40 % of 612 ', '\r\u001b[K']);
});

test('anything else has a line now and then', () => {
  let now = 0;
  const said: string[] = [];
  const lines = new ProgressLines({ columns: undefined, write: () => assert.fail(), now: () => now }, (line) =>
    said.push(line),
  );
  for (; now < 25_000; now += 250) lines.show(PROGRESS);
  lines.end();
  assert.equal(said.length, 3);
});
