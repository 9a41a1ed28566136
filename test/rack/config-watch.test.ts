import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, afterEach, test } from 'node:test';

import { watchConfig, type ConfigWatch } from '../../src/rack/config-watch.ts';

let directory: string;
let file: string;
let watch: ConfigWatch;
let calls: number;
let emitter: EventEmitter;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'rackboot-watch-'));
  file = join(directory, 'rackboot.yaml');
  writeFileSync(file, 'rack: { name: one }\n');
  calls = 0;
  emitter = new EventEmitter();
  watch = watchConfig(file, () => {
    calls++;
    emitter.emit('changed');
  });
  await watch.ready;
});

afterEach(async () => {
  await watch.close();
  rmSync(directory, { recursive: true });
});

/** Does something to the files and waits for the next call. */
async function changedBy(what: () => void): Promise<void> {
  const changed = once(emitter, 'changed', { signal: AbortSignal.timeout(5_000) });
  what();
  await changed;
}

function replace(text: string): void {
  const temporary = join(directory, 'rackboot.yaml.new');
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}

const HABITS: readonly (readonly [title: string, change: (text: string) => void])[] = [
  ['writes in place', (text) => writeFileSync(file, text)],
  ['moves a new file over the old one', replace],
  [
    'deletes and makes anew',
    (text) => {
      rmSync(file);
      writeFileSync(file, text);
    },
  ],
  [
    'keeps a backup (vim)',
    (text) => {
      renameSync(file, `${file}~`);
      writeFileSync(file, text);
      rmSync(`${file}~`);
    },
  ],
];

for (const [title, change] of HABITS) {
  test(`an editor that ${title} is seen, again and again, once each time`, async () => {
    for (let i = 1; i <= 3; i++) {
      await changedBy(() => change(`rack: { name: edited-${i} }\n`));
      assert.equal(calls, i);
    }
  });
}

test('many writes in one go are one change', async () => {
  await changedBy(() => {
    for (let i = 0; i < 20; i++) writeFileSync(file, `rack: { name: edited-${i} }\n`);
  });
  await changedBy(() => replace('rack: { name: last }\n'));
  assert.equal(calls, 2);
});

test('a file that goes away is seen, and when it is back, too', async () => {
  await changedBy(() => rmSync(file));
  await changedBy(() => writeFileSync(file, 'rack: { name: back }\n'));
  assert.equal(calls, 2);
});

test('another file in the same directory is none of our business', async () => {
  const other = join(directory, 'other.yaml');
  writeFileSync(other, 'x');
  const watchOther = watchConfig(other, () => emitter.emit('other'));
  await watchOther.ready;
  const seen = once(emitter, 'other', { signal: AbortSignal.timeout(5_000) });
  writeFileSync(other, 'y');
  // Both watches wait as long for the dust to settle: had ours seen it, it would have called by now or just after
  await seen;
  await watchOther.close();
  await changedBy(() => replace('rack: { name: ours }\n'));
  assert.equal(calls, 1);
});

test('after close nothing is called, not even for a change just before', async () => {
  writeFileSync(file, 'rack: { name: late }\n');
  await watch.close();
  assert.equal(calls, 0);
});
