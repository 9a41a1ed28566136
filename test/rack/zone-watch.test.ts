import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

import { ZoneWatch } from '../../src/rack/zone-watch.ts';

let directory: string;
let watch: ZoneWatch;
let emitter: EventEmitter;
let calls: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rackboot-zone-watch-'));
  mkdirSync(join(directory, 'a'));
  mkdirSync(join(directory, 'b'));
  emitter = new EventEmitter();
  calls = 0;
  watch = new ZoneWatch(() => {
    calls++;
    emitter.emit('changed');
  }, assert.ifError);
});

afterEach(async () => {
  await watch.close();
  rmSync(directory, { recursive: true });
});

function path(name: string): string {
  return join(directory, name);
}

async function changedBy(what: () => void): Promise<void> {
  const changed = once(emitter, 'changed', { signal: AbortSignal.timeout(10_000) });
  what();
  await changed;
}

test('a file that is written, replaced, removed or made anew is seen, in each directory', async () => {
  for (const name of ['a/zone', 'b/zone']) writeFileSync(path(name), 'x');
  watch.follow([path('a/zone'), path('b/zone')]);
  await watch.ready;
  await changedBy(() => writeFileSync(path('a/zone'), 'y'));
  await changedBy(() => writeFileSync(path('b/zone'), 'y'));
  writeFileSync(path('a/new'), 'z');
  await changedBy(() => renameSync(path('a/new'), path('a/zone')));
  await changedBy(() => rmSync(path('b/zone')));
  await changedBy(() => writeFileSync(path('b/zone'), 'z'));
  assert.equal(calls, 5);
});

test('a file behind a link is seen', async () => {
  writeFileSync(path('b/real'), 'x');
  symlinkSync(path('b/real'), path('a/zone'));
  watch.follow([path('a/zone')]);
  await watch.ready;
  await changedBy(() => writeFileSync(path('b/real'), 'y'));
});

test('files that are followed no more are not', async () => {
  for (const name of ['a/zone', 'b/zone']) writeFileSync(path(name), 'x');
  watch.follow([path('a/zone')]);
  await watch.ready;
  watch.follow([path('b/zone')]);
  await watch.ready;
  writeFileSync(path('a/zone'), 'y');
  await changedBy(() => writeFileSync(path('b/zone'), 'y'));
  assert.equal(calls, 1);
});
